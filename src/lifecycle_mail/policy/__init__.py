"""Facts, predicates, decision tables, and what is built of them."""
