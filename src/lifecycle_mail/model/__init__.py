"""Who and what: addresses, contacts, lists, events, the consent log, engagement profiles."""
