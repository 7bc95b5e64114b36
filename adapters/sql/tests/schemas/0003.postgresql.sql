CREATE SCHEMA lifecycle_mail;
CREATE TABLE lifecycle_mail.answers (
    id text NOT NULL COLLATE pg_catalog."C",
    person bigint NOT NULL,
    question text NOT NULL COLLATE pg_catalog."C",
    about text NOT NULL COLLATE pg_catalog."C",
    campaign text COLLATE pg_catalog."C",
    asked_at bigint NOT NULL,
    at bigint NOT NULL,
    reasons text NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL COLLATE pg_catalog."C",
    tool text NOT NULL COLLATE pg_catalog."C",
    improve text NOT NULL COLLATE pg_catalog."C",
    crc bigint NOT NULL
);
CREATE TABLE lifecycle_mail.aside (
    id text NOT NULL COLLATE pg_catalog."C",
    person bigint NOT NULL,
    key bigint NOT NULL,
    entry text NOT NULL COLLATE pg_catalog."C",
    why text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL
);
CREATE TABLE lifecycle_mail.attempts (
    no bigint NOT NULL,
    task bigint NOT NULL,
    at bigint NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    note text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.bindings (
    target text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    ours text NOT NULL COLLATE pg_catalog."C",
    theirs text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.bookmarks (
    name text NOT NULL COLLATE pg_catalog."C",
    place bigint NOT NULL,
    at bigint NOT NULL,
    note text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.chores (
    name text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.claims (
    campaign text NOT NULL COLLATE pg_catalog."C",
    person bigint NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    leaves_list text COLLATE pg_catalog."C",
    inbox bigint NOT NULL,
    "position" bigint NOT NULL,
    at bigint NOT NULL,
    opted_out_at bigint,
    crc bigint NOT NULL
);
CREATE TABLE lifecycle_mail.complicated (
    person bigint NOT NULL
);
CREATE TABLE lifecycle_mail.contacts (
    person bigint NOT NULL,
    identity text COLLATE pg_catalog."C",
    written text COLLATE pg_catalog."C",
    local text COLLATE pg_catalog."C",
    domain text COLLATE pg_catalog."C",
    body text NOT NULL COLLATE pg_catalog."C",
    crc bigint NOT NULL
);
CREATE TABLE lifecycle_mail.daily (
    day text NOT NULL COLLATE pg_catalog."C",
    campaign text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    mark text NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL
);
CREATE TABLE lifecycle_mail.events (
    id text NOT NULL COLLATE pg_catalog."C",
    person bigint NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    mail text NOT NULL COLLATE pg_catalog."C",
    campaign text NOT NULL COLLATE pg_catalog."C",
    link text NOT NULL COLLATE pg_catalog."C",
    evidence text NOT NULL COLLATE pg_catalog."C",
    purpose text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.evidence (
    seq bigint NOT NULL,
    event_id text COLLATE pg_catalog."C",
    text text NOT NULL COLLATE pg_catalog."C",
    evidence text NOT NULL COLLATE pg_catalog."C",
    crc bigint NOT NULL
);
CREATE TABLE lifecycle_mail.leases (
    work text NOT NULL COLLATE pg_catalog."C",
    worker text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE lifecycle_mail.lifecycle_mail_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE lifecycle_mail.links (
    person bigint NOT NULL,
    key bigint NOT NULL
);
CREATE TABLE lifecycle_mail.lists (
    key text NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.log (
    seq bigint NOT NULL,
    recorded_at bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    entry_id text NOT NULL COLLATE pg_catalog."C",
    person bigint NOT NULL,
    key bigint NOT NULL,
    old bigint NOT NULL,
    about text NOT NULL COLLATE pg_catalog."C",
    happened_at bigint NOT NULL,
    actor text NOT NULL COLLATE pg_catalog."C",
    through text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    campaign text COLLATE pg_catalog."C",
    segment text COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    body text COLLATE pg_catalog."C",
    crc bigint NOT NULL
);
CREATE TABLE lifecycle_mail.marks (
    key bigint NOT NULL,
    mark text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.match_keys (
    no bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    erased bigint NOT NULL
);
CREATE TABLE lifecycle_mail.moments (
    recorded_at bigint NOT NULL,
    seq bigint NOT NULL
);
CREATE TABLE lifecycle_mail.people (
    no bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    erased bigint NOT NULL
);
CREATE TABLE lifecycle_mail.peppers (
    id text NOT NULL COLLATE pg_catalog."C",
    proof text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE lifecycle_mail.profiles (
    person bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C",
    crc bigint NOT NULL
);
CREATE TABLE lifecycle_mail.quarantine (
    id text NOT NULL COLLATE pg_catalog."C",
    person bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C",
    set_aside_at bigint NOT NULL
);
CREATE TABLE lifecycle_mail.subscriptions (
    list text NOT NULL COLLATE pg_catalog."C",
    person bigint NOT NULL
);
CREATE TABLE lifecycle_mail.tasks (
    no bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    urgency bigint NOT NULL,
    person bigint NOT NULL,
    entry text COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C",
    made_at bigint NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    tries bigint NOT NULL,
    due_at bigint NOT NULL,
    worker text COLLATE pg_catalog."C",
    taken_at bigint,
    taken_until bigint
);
INSERT INTO lifecycle_mail.answers VALUES ('d8043578d1f94509ad30e24425a9f506', 3, 'cancellation', 'pro', NULL, 1772355600000000, 1772442000000000, 'too-expensive', 'süß, but dear', '', '', 2044779556);
INSERT INTO lifecycle_mail.answers VALUES ('-d1cbf608babc468db3f2ec34c44d1f7a', 0, 'cancellation', 'pro', NULL, 1772452800000000, 1772452800000000, 'too-expensive', '', '', '', 2489981070);
INSERT INTO lifecycle_mail.aside VALUES ('2f2ab97e0fd2f0095d4ccb0898d8af0d', 3, 3, '{"kind": "complaint", "event_id": "b1", "until": null, "at": 1772442000000000, "said": {"actor": "esp", "through": "application", "source": "app", "campaign": null, "segment": null, "reason": null, "text": "", "evidence": ""}}', 'too many at once', 1772442000000000);
INSERT INTO lifecycle_mail.attempts VALUES (1, 1, 1772445600000000, 'done', '');
INSERT INTO lifecycle_mail.attempts VALUES (2, 2, 1772445600000000, 'done', 'overridden by the person');
INSERT INTO lifecycle_mail.attempts VALUES (4, 4, 1772445600000000, 'done', '');
INSERT INTO lifecycle_mail.attempts VALUES (5, 5, 1772445600000000, 'done', '');
INSERT INTO lifecycle_mail.bindings VALUES ('esp:memory', 'list', 'offers', 'a1b2');
INSERT INTO lifecycle_mail.bookmarks VALUES ('matching', 0, 0, '1');
INSERT INTO lifecycle_mail.bookmarks VALUES ('sweep:memory', 0, 1772442000000000, '');
INSERT INTO lifecycle_mail.bookmarks VALUES ('outbox:esp:memory', 17, 1772445600000000, '');
INSERT INTO lifecycle_mail.bookmarks VALUES ('import:old', 7, 1772442000000000, 'row 7');
INSERT INTO lifecycle_mail.chores VALUES ('scrub:84cf2c266fb34c0d9987765da3691b87');
INSERT INTO lifecycle_mail.claims VALUES ('spring', 3, 'handed-off', 'offers', 3, 16, 1772442000000000, NULL, 1814725427);
INSERT INTO lifecycle_mail.claims VALUES ('spring', 4, 'handed-off', 'offers', 4, 16, 1772442000000000, NULL, 2455508279);
INSERT INTO lifecycle_mail.claims VALUES ('spring', 1, 'handed-off', 'offers', 1, 16, 1772442000000000, 1772445600000000, 1757789571);
INSERT INTO lifecycle_mail.complicated VALUES (3);
INSERT INTO lifecycle_mail.complicated VALUES (1);
INSERT INTO lifecycle_mail.complicated VALUES (4);
INSERT INTO lifecycle_mail.contacts VALUES (2, '1:bob@example.com', 'bob@example.com', 'bob', 'example.com', '{"signed_up_at": 1772355600000000}', 804887420);
INSERT INTO lifecycle_mail.contacts VALUES (3, '1:cem@example.com', 'cem@example.com', 'cem', 'example.com', '{"signed_up_at": 1772355600000000}', 3310419223);
INSERT INTO lifecycle_mail.contacts VALUES (1, '1:ada@new.example.com', 'ada@new.example.com', 'ada', 'new.example.com', '{"fields": {"since": ["instant", 1772442000000000], "spend": 120}, "tags": ["vip"], "signed_up_at": 1772355600000000}', 397682481);
INSERT INTO lifecycle_mail.daily VALUES ('2026-03-02', 'spring', 'other', 'sent', 3);
INSERT INTO lifecycle_mail.daily VALUES ('2026-03-02', '', 'other', 'opened', 1);
INSERT INTO lifecycle_mail.events VALUES ('fd5e5100345c0b0fc16b43abe7f9b20e', 1, 1772442000000000, 'sent', 'spring:ada', 'spring', '', 'unknown', 'regular', 'memory', 'other');
INSERT INTO lifecycle_mail.events VALUES ('97ac2c4d56c51e343e5c617c1a1f70c9', 3, 1772442000000000, 'sent', 'spring:cem', 'spring', '', 'unknown', 'regular', 'memory', 'other');
INSERT INTO lifecycle_mail.events VALUES ('6b40c1b15f8d1ce9fcb3cf993b887deb', 3, 1772450640000000, 'opened', 'spring:cem', '', '', 'unknown', 'regular', '', 'other');
INSERT INTO lifecycle_mail.events VALUES ('hmac:2025:64f358bb476cdaade31c2ea1f85047acd80c1d468b90e75df7a0221846bca946', 4, 0, '', '', '', '', '', '', '', '');
INSERT INTO lifecycle_mail.evidence VALUES (1, NULL, '', 'form 7, 192.0.2.1', 49407403);
INSERT INTO lifecycle_mail.evidence VALUES (2, NULL, '', 'form 7, 192.0.2.1', 1508267198);
INSERT INTO lifecycle_mail.evidence VALUES (3, NULL, '', 'form 7, 192.0.2.1', 1863631949);
INSERT INTO lifecycle_mail.evidence VALUES (4, NULL, '', 'form 7, 192.0.2.1', 4022941332);
INSERT INTO lifecycle_mail.evidence VALUES (5, NULL, '', 'form 7, 192.0.2.1', 3644565095);
INSERT INTO lifecycle_mail.evidence VALUES (6, NULL, '', 'form 7, 192.0.2.1', 2183927666);
INSERT INTO lifecycle_mail.evidence VALUES (9, 'bob:preference-page:2026-03-01T09:00:00+00:00:0', 'süß, but no', 'l', 2618723700);
INSERT INTO lifecycle_mail.evidence VALUES (10, 'cem:preference-page:2026-03-01T09:00:00+00:00:0', '', '', 1610126794);
INSERT INTO lifecycle_mail.evidence VALUES (11, NULL, '', 'form 7, 192.0.2.1', 3785240641);
INSERT INTO lifecycle_mail.evidence VALUES (12, NULL, '', 'confirmation link; form 7, 192.0.2.1', 2316699402);
INSERT INTO lifecycle_mail.evidence VALUES (14, '1:stranger@example.com:preference-page:2026-03-01T09:00:00+00:00:0', '', '', 3029853698);
INSERT INTO lifecycle_mail.evidence VALUES (15, 'ada:2026-03-01T09:00:00+00:00', '', '', 584936695);
INSERT INTO lifecycle_mail.evidence VALUES (16, NULL, 'she wrote', '', 1171111808);
INSERT INTO lifecycle_mail.evidence VALUES (17, 'ada:preference-page:2026-03-02T10:00:00+00:00:0', '', '', 4127864737);
INSERT INTO lifecycle_mail.evidence VALUES (7, NULL, '', '[erased]', 1318687926);
INSERT INTO lifecycle_mail.evidence VALUES (8, NULL, '', '[erased]', 2911674239);
INSERT INTO lifecycle_mail.evidence VALUES (13, '[erased]e0ee24de428520d4d8fcf8940642e465', '[erased]', '', 4019134142);
INSERT INTO lifecycle_mail.evidence VALUES (27, '[erased]3b0d6108cfc39e2606a636a122657298', '', '', 553885269);
INSERT INTO lifecycle_mail.evidence VALUES (28, '[erased]a52b2ea1959534e080ccc3327b27290c', '', '', 3449560009);
INSERT INTO lifecycle_mail.leases VALUES ('sweep:memory', 'a worker', 1772442000000000, 1772445600000000);
INSERT INTO lifecycle_mail.lifecycle_mail_version VALUES ('0003');
INSERT INTO lifecycle_mail.links VALUES (1, 1);
INSERT INTO lifecycle_mail.links VALUES (2, 2);
INSERT INTO lifecycle_mail.links VALUES (3, 3);
INSERT INTO lifecycle_mail.links VALUES (4, 4);
INSERT INTO lifecycle_mail.links VALUES (1, 6);
INSERT INTO lifecycle_mail.lists VALUES ('offers', '{"key": "offers", "title": "Offers", "expect": "one deal a week", "frequency": null, "double_opt_in": false, "channel": "email"}');
INSERT INTO lifecycle_mail.lists VALUES ('news', '{"key": "news", "title": "News", "expect": "what is new, once a month", "frequency": null, "double_opt_in": false, "channel": "email"}');
INSERT INTO lifecycle_mail.log VALUES (1, 1772355600000000, 'consent', '42ebb6a5593f583da2d3f91f30c8bb54', 1, 1, 0, 'offers', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 1716383418);
INSERT INTO lifecycle_mail.log VALUES (2, 1772355600000000, 'consent', '62b12c5047ab6f8cce29dd5c651e5e4b', 1, 1, 0, 'news', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 1370623617);
INSERT INTO lifecycle_mail.log VALUES (3, 1772355600000000, 'consent', '288d51dd866b50f8fd411831c90eee33', 2, 2, 0, 'offers', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 601441567);
INSERT INTO lifecycle_mail.log VALUES (4, 1772355600000000, 'consent', 'e05ba96018edbb5f46cbf528718dc0c1', 2, 2, 0, 'news', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 4291976556);
INSERT INTO lifecycle_mail.log VALUES (5, 1772355600000000, 'consent', 'f691be501659ea6a1081b6ec883ed4cd', 3, 3, 0, 'offers', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 1675527012);
INSERT INTO lifecycle_mail.log VALUES (6, 1772355600000000, 'consent', '1db8d4bff865641a878907f0b98269a0', 3, 3, 0, 'news', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 2285674918);
INSERT INTO lifecycle_mail.log VALUES (9, 1772355600000000, 'opt-out', '00d09ce4164f8806ae1ec2abe4d9c9f1', 2, 2, 0, 'all', 1772355600000000, 'contact', 'preference-page', 'app', NULL, NULL, 'too-many', NULL, 1503636939);
INSERT INTO lifecycle_mail.log VALUES (10, 1772355600000000, 'opt-out', 'e08cd05bfc1bb5a495071ba6303fbf6e', 3, 3, 0, 'list:offers', 1772355600000000, 'contact', 'preference-page', 'app', NULL, NULL, NULL, NULL, 4126042304);
INSERT INTO lifecycle_mail.log VALUES (11, 1772355600000000, 'request', '087fb6c5fa8f374c1c4866fc7b3f48b6', 3, 3, 0, 'offers', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"asks": ["e08cd05bfc1bb5a495071ba6303fbf6e"]}', 3068820844);
INSERT INTO lifecycle_mail.log VALUES (12, 1772355600000000, 'consent', 'ce1b921311bc5ecf7e4959d6c8aa4fa9', 3, 3, 0, 'offers', 1772355600000000, 'contact', 'confirmation', 'app', NULL, NULL, NULL, '{"standing": "confirmed", "cites": ["e08cd05bfc1bb5a495071ba6303fbf6e"], "request": "087fb6c5fa8f374c1c4866fc7b3f48b6"}', 303216606);
INSERT INTO lifecycle_mail.log VALUES (14, 1772355600000000, 'opt-out', 'd6ef051b27a44b2d578dbcdfaef25f5f', 0, 5, 0, 'all', 1772355600000000, 'contact', 'preference-page', 'app', NULL, NULL, NULL, NULL, 1735571063);
INSERT INTO lifecycle_mail.log VALUES (15, 1772355600000000, 'suppression', 'e033b63a8f6bb88e9410d8d885fa8d6a', 1, 1, 0, 'sunset', 1772355600000000, 'policy', 'application', 'app', NULL, NULL, NULL, NULL, 48315247);
INSERT INTO lifecycle_mail.log VALUES (16, 1772438400000000, 'lift', '3081d033cf911048c0d3578a5a39370b', 1, 1, 0, '', 1772438400000000, 'operator', 'application', 'app', NULL, NULL, NULL, '{"cites": ["e033b63a8f6bb88e9410d8d885fa8d6a"]}', 3621161083);
INSERT INTO lifecycle_mail.log VALUES (17, 1772445600000000, 'opt-out', '884412024a8a60770fb1ed3e6f4ec276', 1, 1, 0, 'list:offers', 1772445600000000, 'contact', 'preference-page', 'app', 'spring', NULL, NULL, NULL, 3621627266);
INSERT INTO lifecycle_mail.log VALUES (18, 1772445600000000, 'pushed', '8f7ad389858fa07a3679e2bb3f22c6b4', 2, 2, 0, 'all', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "00d09ce4164f8806ae1ec2abe4d9c9f1"}', 3053563605);
INSERT INTO lifecycle_mail.log VALUES (19, 1772445600000000, 'pushed', '2912a1de83f3e4d583ea23adaebdb130', 2, 2, 0, 'all', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "00d09ce4164f8806ae1ec2abe4d9c9f1", "done": true}', 2545762106);
INSERT INTO lifecycle_mail.log VALUES (22, 1772445600000000, 'pushed', '01595bb28c3dc63cdb5bb914c21247cb', 0, 5, 0, 'all', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "d6ef051b27a44b2d578dbcdfaef25f5f"}', 1701295754);
INSERT INTO lifecycle_mail.log VALUES (23, 1772445600000000, 'pushed', '6b5b0e7d926afa0e420cf98ec388b0de', 0, 5, 0, 'all', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "d6ef051b27a44b2d578dbcdfaef25f5f", "done": true}', 3527286876);
INSERT INTO lifecycle_mail.log VALUES (24, 1772445600000000, 'pushed', '6eadb54e102be037ebba13994ef4bfc6', 1, 1, 0, 'list:offers', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "884412024a8a60770fb1ed3e6f4ec276"}', 453728127);
INSERT INTO lifecycle_mail.log VALUES (25, 1772445600000000, 'pushed', '4125ec4ee893c09b19a6b911a8fe617a', 1, 1, 0, 'list:offers', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "884412024a8a60770fb1ed3e6f4ec276", "done": true}', 4185037113);
INSERT INTO lifecycle_mail.log VALUES (26, 1772445600000000, 'address', '12caf54a2571aad1bf35a91dcacaf0dd', 1, 6, 1, '', 1772445600000000, 'contact', 'application', 'app', NULL, NULL, NULL, NULL, 4142657093);
INSERT INTO lifecycle_mail.log VALUES (7, 1772355600000000, 'consent', '4e69b19aa4bfd8d2042d65ed1ede64ea', 4, 4, 0, 'offers', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 723116697);
INSERT INTO lifecycle_mail.log VALUES (8, 1772355600000000, 'consent', '88ac4da58ccf6c8c29ba223b781dd393', 4, 4, 0, 'news', 1772355600000000, 'contact', 'sign-up', 'app', NULL, NULL, NULL, '{"standing": "express"}', 2925633794);
INSERT INTO lifecycle_mail.log VALUES (13, 1772355600000000, 'opt-out', 'e0ee24de428520d4d8fcf8940642e465', 4, 4, 0, 'list:news', 1772355600000000, 'contact', 'preference-page', 'app', NULL, NULL, NULL, NULL, 402120309);
INSERT INTO lifecycle_mail.log VALUES (20, 1772445600000000, 'pushed', '47a7470865a0e2ff918d4cb63e12029a', 4, 4, 0, 'list:news', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "e0ee24de428520d4d8fcf8940642e465"}', 4286582593);
INSERT INTO lifecycle_mail.log VALUES (21, 1772445600000000, 'pushed', '81fec68cd36083e38db593b5444f5ff7', 4, 4, 0, 'list:news', 1772445600000000, 'policy', 'run', 'memory', NULL, NULL, NULL, '{"opt_out": "e0ee24de428520d4d8fcf8940642e465", "done": true}', 3022652558);
INSERT INTO lifecycle_mail.log VALUES (27, 1772445600000000, 'suppression', '3b0d6108cfc39e2606a636a122657298', 4, 4, 0, 'erasure', 1772445600000000, 'contact', 'application', 'app', NULL, NULL, NULL, NULL, 2778158865);
INSERT INTO lifecycle_mail.log VALUES (28, 1772445600000000, 'suppression', 'a52b2ea1959534e080ccc3327b27290c', 4, 0, 0, 'erasure', 1772445600000000, 'contact', 'application', 'app', NULL, NULL, NULL, NULL, 1201298345);
INSERT INTO lifecycle_mail.marks VALUES (2, 'all');
INSERT INTO lifecycle_mail.marks VALUES (3, 'list:offers');
INSERT INTO lifecycle_mail.marks VALUES (3, 'read');
INSERT INTO lifecycle_mail.marks VALUES (4, 'list:news');
INSERT INTO lifecycle_mail.marks VALUES (5, 'all');
INSERT INTO lifecycle_mail.marks VALUES (1, 'sunset');
INSERT INTO lifecycle_mail.marks VALUES (1, 'read');
INSERT INTO lifecycle_mail.marks VALUES (1, 'list:offers');
INSERT INTO lifecycle_mail.marks VALUES (6, 'read');
INSERT INTO lifecycle_mail.marks VALUES (4, 'erasure');
INSERT INTO lifecycle_mail.marks VALUES (4, 'read');
INSERT INTO lifecycle_mail.match_keys VALUES (1, '1:ada@example.com', 0);
INSERT INTO lifecycle_mail.match_keys VALUES (2, '1:bob@example.com', 0);
INSERT INTO lifecycle_mail.match_keys VALUES (3, '1:cem@example.com', 0);
INSERT INTO lifecycle_mail.match_keys VALUES (5, '1:stranger@example.com', 0);
INSERT INTO lifecycle_mail.match_keys VALUES (6, '1:ada@new.example.com', 0);
INSERT INTO lifecycle_mail.match_keys VALUES (4, 'hmac:2025:7622d5c1f3ee29c49a774b873bcfbbec8cdaa90240655a4446aed796ad494787', 1);
INSERT INTO lifecycle_mail.moments VALUES (1772355600000000, 15);
INSERT INTO lifecycle_mail.moments VALUES (1772438400000000, 16);
INSERT INTO lifecycle_mail.moments VALUES (1772445600000000, 28);
INSERT INTO lifecycle_mail.people VALUES (1, 'ada', 0);
INSERT INTO lifecycle_mail.people VALUES (2, 'bob', 0);
INSERT INTO lifecycle_mail.people VALUES (3, 'cem', 0);
INSERT INTO lifecycle_mail.people VALUES (4, 'hmac:2025:737cf0b0d61bb05c4254e2eff214aa679b0b05b511d38c3003e2015eff6adc3b', 1);
INSERT INTO lifecycle_mail.peppers VALUES ('2025', '1ccb89b2a2dcd2ae');
INSERT INTO lifecycle_mail.profiles VALUES (1, '{"window": 32, "until": 1772442000000000, "first": {"sent": 1772442000000000}, "last": {"sent": 1772442000000000}, "months": {"2026-03": {"sent": 1}}, "mails": [[1772442000000000, "spring:ada", "regular", null, null, false, false]]}', 3703481162);
INSERT INTO lifecycle_mail.profiles VALUES (3, '{"window": 32, "until": 1772450640000000, "first": {"sent": 1772442000000000, "opened": 1772450640000000}, "last": {"sent": 1772442000000000, "opened": 1772450640000000}, "months": {"2026-03": {"sent": 1, "opened": 1}}, "mails": [[1772442000000000, "spring:cem", "regular", 1772450640000000, null, false, false]]}', 2954893867);
INSERT INTO lifecycle_mail.quarantine VALUES ('1810ced4ba3a171e3177dd5c3b9b97db', 3, '{"id": "1810ced4ba3a171e3177dd5c3b9b97db", "person": 0, "at": 1807002000000000, "kind": "opened", "mail": "m1", "campaign": "", "link": "", "evidence": "unknown", "purpose": "regular", "source": "", "provider": ""}', 1772442000000000);
INSERT INTO lifecycle_mail.subscriptions VALUES ('offers', 1);
INSERT INTO lifecycle_mail.subscriptions VALUES ('news', 1);
INSERT INTO lifecycle_mail.subscriptions VALUES ('offers', 2);
INSERT INTO lifecycle_mail.subscriptions VALUES ('news', 2);
INSERT INTO lifecycle_mail.subscriptions VALUES ('offers', 3);
INSERT INTO lifecycle_mail.subscriptions VALUES ('news', 3);
INSERT INTO lifecycle_mail.subscriptions VALUES ('offers', 4);
INSERT INTO lifecycle_mail.subscriptions VALUES ('news', 4);
INSERT INTO lifecycle_mail.tasks VALUES (1, 'ff4ba0263dace00595b791428423cb6d', 'esp:memory', 'opt-out', 0, 2, '00d09ce4164f8806ae1ec2abe4d9c9f1', '9', 1772355600000000, 'done', 1, 1772355600000000, NULL, NULL, NULL);
INSERT INTO lifecycle_mail.tasks VALUES (2, 'ef67fef15da15b71bf714e89217fecd3', 'esp:memory', 'opt-out', 0, 3, 'e08cd05bfc1bb5a495071ba6303fbf6e', '10', 1772355600000000, 'done', 1, 1772355600000000, NULL, NULL, NULL);
INSERT INTO lifecycle_mail.tasks VALUES (4, 'ab0cd6d61d3d340935a73040fbb4b510', 'esp:memory', 'opt-out', 0, 0, 'd6ef051b27a44b2d578dbcdfaef25f5f', '14', 1772355600000000, 'done', 1, 1772355600000000, NULL, NULL, NULL);
INSERT INTO lifecycle_mail.tasks VALUES (5, 'b39fca9bc7ccb2d08321a31004578d3e', 'esp:memory', 'opt-out', 0, 1, '884412024a8a60770fb1ed3e6f4ec276', '17', 1772445600000000, 'done', 1, 1772445600000000, NULL, NULL, NULL);
ALTER TABLE ONLY lifecycle_mail.lifecycle_mail_version
    ADD CONSTRAINT lifecycle_mail_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY lifecycle_mail.answers
    ADD CONSTRAINT pk_answers PRIMARY KEY (id);
ALTER TABLE ONLY lifecycle_mail.aside
    ADD CONSTRAINT pk_aside PRIMARY KEY (id);
ALTER TABLE ONLY lifecycle_mail.attempts
    ADD CONSTRAINT pk_attempts PRIMARY KEY (no);
ALTER TABLE ONLY lifecycle_mail.bindings
    ADD CONSTRAINT pk_bindings PRIMARY KEY (target, kind, ours);
ALTER TABLE ONLY lifecycle_mail.bookmarks
    ADD CONSTRAINT pk_bookmarks PRIMARY KEY (name);
ALTER TABLE ONLY lifecycle_mail.chores
    ADD CONSTRAINT pk_chores PRIMARY KEY (name);
ALTER TABLE ONLY lifecycle_mail.claims
    ADD CONSTRAINT pk_claims PRIMARY KEY (campaign, person);
ALTER TABLE ONLY lifecycle_mail.complicated
    ADD CONSTRAINT pk_complicated PRIMARY KEY (person);
ALTER TABLE ONLY lifecycle_mail.contacts
    ADD CONSTRAINT pk_contacts PRIMARY KEY (person);
ALTER TABLE ONLY lifecycle_mail.daily
    ADD CONSTRAINT pk_daily PRIMARY KEY (day, campaign, provider, mark);
ALTER TABLE ONLY lifecycle_mail.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY lifecycle_mail.evidence
    ADD CONSTRAINT pk_evidence PRIMARY KEY (seq);
ALTER TABLE ONLY lifecycle_mail.leases
    ADD CONSTRAINT pk_leases PRIMARY KEY (work);
ALTER TABLE ONLY lifecycle_mail.links
    ADD CONSTRAINT pk_links PRIMARY KEY (person, key);
ALTER TABLE ONLY lifecycle_mail.lists
    ADD CONSTRAINT pk_lists PRIMARY KEY (key);
ALTER TABLE ONLY lifecycle_mail.log
    ADD CONSTRAINT pk_log PRIMARY KEY (seq);
ALTER TABLE ONLY lifecycle_mail.marks
    ADD CONSTRAINT pk_marks PRIMARY KEY (key, mark);
ALTER TABLE ONLY lifecycle_mail.match_keys
    ADD CONSTRAINT pk_match_keys PRIMARY KEY (no);
ALTER TABLE ONLY lifecycle_mail.moments
    ADD CONSTRAINT pk_moments PRIMARY KEY (recorded_at);
ALTER TABLE ONLY lifecycle_mail.people
    ADD CONSTRAINT pk_people PRIMARY KEY (no);
ALTER TABLE ONLY lifecycle_mail.peppers
    ADD CONSTRAINT pk_peppers PRIMARY KEY (id);
ALTER TABLE ONLY lifecycle_mail.profiles
    ADD CONSTRAINT pk_profiles PRIMARY KEY (person);
ALTER TABLE ONLY lifecycle_mail.quarantine
    ADD CONSTRAINT pk_quarantine PRIMARY KEY (id);
ALTER TABLE ONLY lifecycle_mail.subscriptions
    ADD CONSTRAINT pk_subscriptions PRIMARY KEY (list, person);
ALTER TABLE ONLY lifecycle_mail.tasks
    ADD CONSTRAINT pk_tasks PRIMARY KEY (no);
CREATE INDEX ix_answers_at_id ON lifecycle_mail.answers USING btree (at, id);
CREATE INDEX ix_answers_person ON lifecycle_mail.answers USING btree (person) WHERE (person > 0);
CREATE INDEX ix_answers_question_at_id ON lifecycle_mail.answers USING btree (question, at, id);
CREATE INDEX ix_attempts_task ON lifecycle_mail.attempts USING btree (task);
CREATE UNIQUE INDEX ix_claims_campaign_inbox ON lifecycle_mail.claims USING btree (campaign, inbox) WHERE ((leaves_list IS NOT NULL) AND (state <> 'returned'::text));
CREATE INDEX ix_claims_person ON lifecycle_mail.claims USING btree (person);
CREATE INDEX ix_contacts_identity ON lifecycle_mail.contacts USING btree (identity);
CREATE INDEX ix_events_person_mail ON lifecycle_mail.events USING btree (person, mail);
CREATE INDEX ix_links_key ON lifecycle_mail.links USING btree (key);
CREATE UNIQUE INDEX ix_log_entry_id_person_key ON lifecycle_mail.log USING btree (entry_id, person, key);
CREATE INDEX ix_log_key_seq ON lifecycle_mail.log USING btree (key, seq) WHERE (key > 0);
CREATE INDEX ix_log_old ON lifecycle_mail.log USING btree (old) WHERE (old > 0);
CREATE INDEX ix_log_person_seq ON lifecycle_mail.log USING btree (person, seq) WHERE (person > 0);
CREATE UNIQUE INDEX ix_match_keys_name ON lifecycle_mail.match_keys USING btree (name);
CREATE UNIQUE INDEX ix_people_name ON lifecycle_mail.people USING btree (name);
CREATE UNIQUE INDEX ix_tasks_id ON lifecycle_mail.tasks USING btree (id);
CREATE INDEX ix_tasks_person ON lifecycle_mail.tasks USING btree (person) WHERE (person > 0);
CREATE INDEX ix_tasks_target_state_urgency_no ON lifecycle_mail.tasks USING btree (target, state, urgency, no);
CREATE INDEX ix_tasks_urgency_no ON lifecycle_mail.tasks USING btree (urgency, no);
