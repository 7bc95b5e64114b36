BEGIN TRANSACTION;
CREATE TABLE answers (
	id TEXT NOT NULL, 
	person INTEGER NOT NULL, 
	question TEXT NOT NULL, 
	about TEXT NOT NULL, 
	campaign TEXT, 
	asked_at INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	reasons TEXT NOT NULL, 
	text TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	improve TEXT NOT NULL, 
	crc INTEGER NOT NULL, 
	CONSTRAINT pk_answers PRIMARY KEY (id)
);
INSERT INTO "answers" VALUES('d8043578d1f94509ad30e24425a9f506',3,'cancellation','pro',NULL,1772355600000000,1772442000000000,'too-expensive','süß, but dear','','',2044779556);
INSERT INTO "answers" VALUES('-5d1f8c7b115b45dc89c59d667f747441',0,'cancellation','pro',NULL,1772452800000000,1772452800000000,'too-expensive','','','',267954632);
CREATE TABLE aside (
	id TEXT NOT NULL, 
	person INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	entry TEXT NOT NULL, 
	why TEXT NOT NULL, 
	at INTEGER NOT NULL, 
	CONSTRAINT pk_aside PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "aside" VALUES('2f2ab97e0fd2f0095d4ccb0898d8af0d',3,3,'{"kind": "complaint", "event_id": "b1", "until": null, "at": 1772442000000000, "said": {"actor": "esp", "through": "application", "source": "app", "campaign": null, "segment": null, "reason": null, "text": "", "evidence": ""}}','too many at once',1772442000000000);
CREATE TABLE attempts (
	no INTEGER NOT NULL, 
	task INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT pk_attempts PRIMARY KEY (no)
);
INSERT INTO "attempts" VALUES(1,1,1772445600000000,'done','');
INSERT INTO "attempts" VALUES(2,2,1772445600000000,'done','overridden by the person');
INSERT INTO "attempts" VALUES(4,4,1772445600000000,'done','');
INSERT INTO "attempts" VALUES(5,5,1772445600000000,'done','');
CREATE TABLE bindings (
	target TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	ours TEXT NOT NULL, 
	theirs TEXT NOT NULL, 
	CONSTRAINT pk_bindings PRIMARY KEY (target, kind, ours)
)
 WITHOUT ROWID

;
INSERT INTO "bindings" VALUES('esp:memory','list','offers','a1b2');
CREATE TABLE bookmarks (
	name TEXT NOT NULL, 
	place INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT pk_bookmarks PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "bookmarks" VALUES('import:old',7,1772442000000000,'row 7');
INSERT INTO "bookmarks" VALUES('matching',0,0,'1');
INSERT INTO "bookmarks" VALUES('outbox:esp:memory',17,1772445600000000,'');
INSERT INTO "bookmarks" VALUES('sweep:memory',0,1772442000000000,'');
CREATE TABLE chores (
	name TEXT NOT NULL, 
	CONSTRAINT pk_chores PRIMARY KEY (name)
)
 WITHOUT ROWID

;
CREATE TABLE claims (
	campaign TEXT NOT NULL, 
	person INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	leaves_list TEXT, 
	inbox INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	opted_out_at INTEGER, 
	crc INTEGER NOT NULL, 
	CONSTRAINT pk_claims PRIMARY KEY (campaign, person)
);
INSERT INTO "claims" VALUES('spring',1,'handed-off','offers',1,16,1772442000000000,1772445600000000,1757789571);
INSERT INTO "claims" VALUES('spring',3,'handed-off','offers',3,16,1772442000000000,NULL,1814725427);
INSERT INTO "claims" VALUES('spring',4,'handed-off','offers',4,16,1772442000000000,NULL,2455508279);
CREATE TABLE complicated (
	person INTEGER NOT NULL, 
	CONSTRAINT pk_complicated PRIMARY KEY (person)
)
 WITHOUT ROWID

;
INSERT INTO "complicated" VALUES(1);
INSERT INTO "complicated" VALUES(3);
INSERT INTO "complicated" VALUES(4);
CREATE TABLE contacts (
	person INTEGER NOT NULL, 
	identity TEXT, 
	written TEXT, 
	local TEXT, 
	domain TEXT, 
	body TEXT NOT NULL, 
	crc INTEGER NOT NULL, 
	CONSTRAINT pk_contacts PRIMARY KEY (person)
);
INSERT INTO "contacts" VALUES(1,'1:ada@new.example.com','ada@new.example.com','ada','new.example.com','{"fields": {"since": ["instant", 1772442000000000], "spend": 120}, "tags": ["vip"], "signed_up_at": 1772355600000000}',397682481);
INSERT INTO "contacts" VALUES(2,'1:bob@example.com','bob@example.com','bob','example.com','{"signed_up_at": 1772355600000000}',804887420);
INSERT INTO "contacts" VALUES(3,'1:cem@example.com','cem@example.com','cem','example.com','{"signed_up_at": 1772355600000000}',3310419223);
CREATE TABLE daily (
	day TEXT NOT NULL, 
	campaign TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	mark TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	CONSTRAINT pk_daily PRIMARY KEY (day, campaign, provider, mark)
)
 WITHOUT ROWID

;
INSERT INTO "daily" VALUES('2026-03-02','','other','opened',1);
INSERT INTO "daily" VALUES('2026-03-02','spring','other','sent',3);
CREATE TABLE events (
	id TEXT NOT NULL, 
	person INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	mail TEXT NOT NULL, 
	campaign TEXT NOT NULL, 
	link TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	source TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id)
);
INSERT INTO "events" VALUES('fd5e5100345c0b0fc16b43abe7f9b20e',1,1772442000000000,'sent','spring:ada','spring','','unknown','regular','memory','other');
INSERT INTO "events" VALUES('97ac2c4d56c51e343e5c617c1a1f70c9',3,1772442000000000,'sent','spring:cem','spring','','unknown','regular','memory','other');
INSERT INTO "events" VALUES('hmac:2025:64f358bb476cdaade31c2ea1f85047acd80c1d468b90e75df7a0221846bca946',4,0,'','','','','','','','');
INSERT INTO "events" VALUES('6b40c1b15f8d1ce9fcb3cf993b887deb',3,1772450640000000,'opened','spring:cem','','','unknown','regular','','other');
CREATE TABLE evidence (
	seq INTEGER NOT NULL, 
	event_id TEXT, 
	text TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	crc INTEGER NOT NULL, 
	CONSTRAINT pk_evidence PRIMARY KEY (seq)
);
INSERT INTO "evidence" VALUES(1,NULL,'','form 7, 192.0.2.1',49407403);
INSERT INTO "evidence" VALUES(2,NULL,'','form 7, 192.0.2.1',1508267198);
INSERT INTO "evidence" VALUES(3,NULL,'','form 7, 192.0.2.1',1863631949);
INSERT INTO "evidence" VALUES(4,NULL,'','form 7, 192.0.2.1',4022941332);
INSERT INTO "evidence" VALUES(5,NULL,'','form 7, 192.0.2.1',3644565095);
INSERT INTO "evidence" VALUES(6,NULL,'','form 7, 192.0.2.1',2183927666);
INSERT INTO "evidence" VALUES(7,NULL,'','[erased]',1318687926);
INSERT INTO "evidence" VALUES(8,NULL,'','[erased]',2911674239);
INSERT INTO "evidence" VALUES(9,'bob:preference-page:2026-03-01T09:00:00+00:00:0','süß, but no','l',2618723700);
INSERT INTO "evidence" VALUES(10,'cem:preference-page:2026-03-01T09:00:00+00:00:0','','',1610126794);
INSERT INTO "evidence" VALUES(11,NULL,'','form 7, 192.0.2.1',3785240641);
INSERT INTO "evidence" VALUES(12,NULL,'','confirmation link; form 7, 192.0.2.1',2316699402);
INSERT INTO "evidence" VALUES(13,'[erased]e0ee24de428520d4d8fcf8940642e465','[erased]','',4019134142);
INSERT INTO "evidence" VALUES(14,'1:stranger@example.com:preference-page:2026-03-01T09:00:00+00:00:0','','',3029853698);
INSERT INTO "evidence" VALUES(15,'ada:2026-03-01T09:00:00+00:00','','',584936695);
INSERT INTO "evidence" VALUES(16,NULL,'she wrote','',1171111808);
INSERT INTO "evidence" VALUES(17,'ada:preference-page:2026-03-02T10:00:00+00:00:0','','',4127864737);
INSERT INTO "evidence" VALUES(27,'[erased]3b0d6108cfc39e2606a636a122657298','','',553885269);
INSERT INTO "evidence" VALUES(28,'[erased]a52b2ea1959534e080ccc3327b27290c','','',3449560009);
CREATE TABLE leases (
	work TEXT NOT NULL, 
	worker TEXT NOT NULL, 
	at INTEGER NOT NULL, 
	until INTEGER NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (work)
)
 WITHOUT ROWID

;
INSERT INTO "leases" VALUES('sweep:memory','a worker',1772442000000000,1772445600000000);
CREATE TABLE lifecycle_mail_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT lifecycle_mail_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "lifecycle_mail_version" VALUES('0003');
CREATE TABLE links (
	person INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	CONSTRAINT pk_links PRIMARY KEY (person, "key")
)
 WITHOUT ROWID

;
INSERT INTO "links" VALUES(1,1);
INSERT INTO "links" VALUES(2,2);
INSERT INTO "links" VALUES(3,3);
INSERT INTO "links" VALUES(4,4);
INSERT INTO "links" VALUES(1,6);
CREATE TABLE lists (
	"key" TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_lists PRIMARY KEY ("key")
)
 WITHOUT ROWID

;
INSERT INTO "lists" VALUES('news','{"key": "news", "title": "News", "expect": "what is new, once a month", "frequency": null, "double_opt_in": false, "channel": "email"}');
INSERT INTO "lists" VALUES('offers','{"key": "offers", "title": "Offers", "expect": "one deal a week", "frequency": null, "double_opt_in": false, "channel": "email"}');
CREATE TABLE log (
	seq INTEGER NOT NULL, 
	recorded_at INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	entry_id TEXT NOT NULL, 
	person INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	old INTEGER NOT NULL, 
	about TEXT NOT NULL, 
	happened_at INTEGER NOT NULL, 
	actor TEXT NOT NULL, 
	through TEXT NOT NULL, 
	source TEXT NOT NULL, 
	campaign TEXT, 
	segment TEXT, 
	reason TEXT, 
	body TEXT, 
	crc INTEGER NOT NULL, 
	CONSTRAINT pk_log PRIMARY KEY (seq)
);
INSERT INTO "log" VALUES(1,1772355600000000,'consent','42ebb6a5593f583da2d3f91f30c8bb54',1,1,0,'offers',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',1716383418);
INSERT INTO "log" VALUES(2,1772355600000000,'consent','62b12c5047ab6f8cce29dd5c651e5e4b',1,1,0,'news',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',1370623617);
INSERT INTO "log" VALUES(3,1772355600000000,'consent','288d51dd866b50f8fd411831c90eee33',2,2,0,'offers',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',601441567);
INSERT INTO "log" VALUES(4,1772355600000000,'consent','e05ba96018edbb5f46cbf528718dc0c1',2,2,0,'news',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',4291976556);
INSERT INTO "log" VALUES(5,1772355600000000,'consent','f691be501659ea6a1081b6ec883ed4cd',3,3,0,'offers',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',1675527012);
INSERT INTO "log" VALUES(6,1772355600000000,'consent','1db8d4bff865641a878907f0b98269a0',3,3,0,'news',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',2285674918);
INSERT INTO "log" VALUES(7,1772355600000000,'consent','4e69b19aa4bfd8d2042d65ed1ede64ea',4,4,0,'offers',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',723116697);
INSERT INTO "log" VALUES(8,1772355600000000,'consent','88ac4da58ccf6c8c29ba223b781dd393',4,4,0,'news',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"standing": "express"}',2925633794);
INSERT INTO "log" VALUES(9,1772355600000000,'opt-out','00d09ce4164f8806ae1ec2abe4d9c9f1',2,2,0,'all',1772355600000000,'contact','preference-page','app',NULL,NULL,'too-many',NULL,1503636939);
INSERT INTO "log" VALUES(10,1772355600000000,'opt-out','e08cd05bfc1bb5a495071ba6303fbf6e',3,3,0,'list:offers',1772355600000000,'contact','preference-page','app',NULL,NULL,NULL,NULL,4126042304);
INSERT INTO "log" VALUES(11,1772355600000000,'request','087fb6c5fa8f374c1c4866fc7b3f48b6',3,3,0,'offers',1772355600000000,'contact','sign-up','app',NULL,NULL,NULL,'{"asks": ["e08cd05bfc1bb5a495071ba6303fbf6e"]}',3068820844);
INSERT INTO "log" VALUES(12,1772355600000000,'consent','ce1b921311bc5ecf7e4959d6c8aa4fa9',3,3,0,'offers',1772355600000000,'contact','confirmation','app',NULL,NULL,NULL,'{"standing": "confirmed", "cites": ["e08cd05bfc1bb5a495071ba6303fbf6e"], "request": "087fb6c5fa8f374c1c4866fc7b3f48b6"}',303216606);
INSERT INTO "log" VALUES(13,1772355600000000,'opt-out','e0ee24de428520d4d8fcf8940642e465',4,4,0,'list:news',1772355600000000,'contact','preference-page','app',NULL,NULL,NULL,NULL,402120309);
INSERT INTO "log" VALUES(14,1772355600000000,'opt-out','d6ef051b27a44b2d578dbcdfaef25f5f',0,5,0,'all',1772355600000000,'contact','preference-page','app',NULL,NULL,NULL,NULL,1735571063);
INSERT INTO "log" VALUES(15,1772355600000000,'suppression','e033b63a8f6bb88e9410d8d885fa8d6a',1,1,0,'sunset',1772355600000000,'policy','application','app',NULL,NULL,NULL,NULL,48315247);
INSERT INTO "log" VALUES(16,1772438400000000,'lift','3081d033cf911048c0d3578a5a39370b',1,1,0,'',1772438400000000,'operator','application','app',NULL,NULL,NULL,'{"cites": ["e033b63a8f6bb88e9410d8d885fa8d6a"]}',3621161083);
INSERT INTO "log" VALUES(17,1772445600000000,'opt-out','884412024a8a60770fb1ed3e6f4ec276',1,1,0,'list:offers',1772445600000000,'contact','preference-page','app','spring',NULL,NULL,NULL,3621627266);
INSERT INTO "log" VALUES(18,1772445600000000,'pushed','8f7ad389858fa07a3679e2bb3f22c6b4',2,2,0,'all',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "00d09ce4164f8806ae1ec2abe4d9c9f1"}',3053563605);
INSERT INTO "log" VALUES(19,1772445600000000,'pushed','2912a1de83f3e4d583ea23adaebdb130',2,2,0,'all',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "00d09ce4164f8806ae1ec2abe4d9c9f1", "done": true}',2545762106);
INSERT INTO "log" VALUES(20,1772445600000000,'pushed','47a7470865a0e2ff918d4cb63e12029a',4,4,0,'list:news',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "e0ee24de428520d4d8fcf8940642e465"}',4286582593);
INSERT INTO "log" VALUES(21,1772445600000000,'pushed','81fec68cd36083e38db593b5444f5ff7',4,4,0,'list:news',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "e0ee24de428520d4d8fcf8940642e465", "done": true}',3022652558);
INSERT INTO "log" VALUES(22,1772445600000000,'pushed','01595bb28c3dc63cdb5bb914c21247cb',0,5,0,'all',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "d6ef051b27a44b2d578dbcdfaef25f5f"}',1701295754);
INSERT INTO "log" VALUES(23,1772445600000000,'pushed','6b5b0e7d926afa0e420cf98ec388b0de',0,5,0,'all',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "d6ef051b27a44b2d578dbcdfaef25f5f", "done": true}',3527286876);
INSERT INTO "log" VALUES(24,1772445600000000,'pushed','6eadb54e102be037ebba13994ef4bfc6',1,1,0,'list:offers',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "884412024a8a60770fb1ed3e6f4ec276"}',453728127);
INSERT INTO "log" VALUES(25,1772445600000000,'pushed','4125ec4ee893c09b19a6b911a8fe617a',1,1,0,'list:offers',1772445600000000,'policy','run','memory',NULL,NULL,NULL,'{"opt_out": "884412024a8a60770fb1ed3e6f4ec276", "done": true}',4185037113);
INSERT INTO "log" VALUES(26,1772445600000000,'address','12caf54a2571aad1bf35a91dcacaf0dd',1,6,1,'',1772445600000000,'contact','application','app',NULL,NULL,NULL,NULL,4142657093);
INSERT INTO "log" VALUES(27,1772445600000000,'suppression','3b0d6108cfc39e2606a636a122657298',4,4,0,'erasure',1772445600000000,'contact','application','app',NULL,NULL,NULL,NULL,2778158865);
INSERT INTO "log" VALUES(28,1772445600000000,'suppression','a52b2ea1959534e080ccc3327b27290c',4,0,0,'erasure',1772445600000000,'contact','application','app',NULL,NULL,NULL,NULL,1201298345);
CREATE TABLE marks (
	"key" INTEGER NOT NULL, 
	mark TEXT NOT NULL, 
	CONSTRAINT pk_marks PRIMARY KEY ("key", mark)
)
 WITHOUT ROWID

;
INSERT INTO "marks" VALUES(1,'list:offers');
INSERT INTO "marks" VALUES(1,'read');
INSERT INTO "marks" VALUES(1,'sunset');
INSERT INTO "marks" VALUES(2,'all');
INSERT INTO "marks" VALUES(3,'list:offers');
INSERT INTO "marks" VALUES(3,'read');
INSERT INTO "marks" VALUES(4,'erasure');
INSERT INTO "marks" VALUES(4,'list:news');
INSERT INTO "marks" VALUES(4,'read');
INSERT INTO "marks" VALUES(5,'all');
INSERT INTO "marks" VALUES(6,'read');
CREATE TABLE match_keys (
	no INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	erased INTEGER NOT NULL, 
	CONSTRAINT pk_match_keys PRIMARY KEY (no)
);
INSERT INTO "match_keys" VALUES(1,'1:ada@example.com',0);
INSERT INTO "match_keys" VALUES(2,'1:bob@example.com',0);
INSERT INTO "match_keys" VALUES(3,'1:cem@example.com',0);
INSERT INTO "match_keys" VALUES(4,'hmac:2025:7622d5c1f3ee29c49a774b873bcfbbec8cdaa90240655a4446aed796ad494787',1);
INSERT INTO "match_keys" VALUES(5,'1:stranger@example.com',0);
INSERT INTO "match_keys" VALUES(6,'1:ada@new.example.com',0);
CREATE TABLE moments (
	recorded_at INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	CONSTRAINT pk_moments PRIMARY KEY (recorded_at)
)
 WITHOUT ROWID

;
INSERT INTO "moments" VALUES(1772355600000000,15);
INSERT INTO "moments" VALUES(1772438400000000,16);
INSERT INTO "moments" VALUES(1772445600000000,28);
CREATE TABLE people (
	no INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	erased INTEGER NOT NULL, 
	CONSTRAINT pk_people PRIMARY KEY (no)
);
INSERT INTO "people" VALUES(1,'ada',0);
INSERT INTO "people" VALUES(2,'bob',0);
INSERT INTO "people" VALUES(3,'cem',0);
INSERT INTO "people" VALUES(4,'hmac:2025:737cf0b0d61bb05c4254e2eff214aa679b0b05b511d38c3003e2015eff6adc3b',1);
CREATE TABLE peppers (
	id TEXT NOT NULL, 
	proof TEXT NOT NULL, 
	CONSTRAINT pk_peppers PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "peppers" VALUES('2025','1ccb89b2a2dcd2ae');
CREATE TABLE profiles (
	person INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	crc INTEGER NOT NULL, 
	CONSTRAINT pk_profiles PRIMARY KEY (person)
);
INSERT INTO "profiles" VALUES(1,'{"window": 32, "until": 1772442000000000, "first": {"sent": 1772442000000000}, "last": {"sent": 1772442000000000}, "months": {"2026-03": {"sent": 1}}, "mails": [[1772442000000000, "spring:ada", "regular", null, null, false, false]]}',3703481162);
INSERT INTO "profiles" VALUES(3,'{"window": 32, "until": 1772450640000000, "first": {"sent": 1772442000000000, "opened": 1772450640000000}, "last": {"sent": 1772442000000000, "opened": 1772450640000000}, "months": {"2026-03": {"sent": 1, "opened": 1}}, "mails": [[1772442000000000, "spring:cem", "regular", 1772450640000000, null, false, false]]}',2954893867);
CREATE TABLE quarantine (
	id TEXT NOT NULL, 
	person INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	set_aside_at INTEGER NOT NULL, 
	CONSTRAINT pk_quarantine PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "quarantine" VALUES('1810ced4ba3a171e3177dd5c3b9b97db',3,'{"id": "1810ced4ba3a171e3177dd5c3b9b97db", "person": 0, "at": 1807002000000000, "kind": "opened", "mail": "m1", "campaign": "", "link": "", "evidence": "unknown", "purpose": "regular", "source": "", "provider": ""}',1772442000000000);
CREATE TABLE subscriptions (
	list TEXT NOT NULL, 
	person INTEGER NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (list, person)
)
 WITHOUT ROWID

;
INSERT INTO "subscriptions" VALUES('news',1);
INSERT INTO "subscriptions" VALUES('news',2);
INSERT INTO "subscriptions" VALUES('news',3);
INSERT INTO "subscriptions" VALUES('news',4);
INSERT INTO "subscriptions" VALUES('offers',1);
INSERT INTO "subscriptions" VALUES('offers',2);
INSERT INTO "subscriptions" VALUES('offers',3);
INSERT INTO "subscriptions" VALUES('offers',4);
CREATE TABLE tasks (
	no INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	target TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	urgency INTEGER NOT NULL, 
	person INTEGER NOT NULL, 
	entry TEXT, 
	detail TEXT NOT NULL, 
	made_at INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	tries INTEGER NOT NULL, 
	due_at INTEGER NOT NULL, 
	worker TEXT, 
	taken_at INTEGER, 
	taken_until INTEGER, 
	CONSTRAINT pk_tasks PRIMARY KEY (no)
);
INSERT INTO "tasks" VALUES(1,'ff4ba0263dace00595b791428423cb6d','esp:memory','opt-out',0,2,'00d09ce4164f8806ae1ec2abe4d9c9f1','9',1772355600000000,'done',1,1772355600000000,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(2,'ef67fef15da15b71bf714e89217fecd3','esp:memory','opt-out',0,3,'e08cd05bfc1bb5a495071ba6303fbf6e','10',1772355600000000,'done',1,1772355600000000,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(4,'ab0cd6d61d3d340935a73040fbb4b510','esp:memory','opt-out',0,0,'d6ef051b27a44b2d578dbcdfaef25f5f','14',1772355600000000,'done',1,1772355600000000,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(5,'b39fca9bc7ccb2d08321a31004578d3e','esp:memory','opt-out',0,1,'884412024a8a60770fb1ed3e6f4ec276','17',1772445600000000,'done',1,1772445600000000,NULL,NULL,NULL);
CREATE UNIQUE INDEX ix_people_name ON people (name);
CREATE UNIQUE INDEX ix_match_keys_name ON match_keys (name);
CREATE INDEX ix_log_old ON log (old) WHERE old > 0;
CREATE INDEX ix_log_person_seq ON log (person, seq) WHERE person > 0;
CREATE UNIQUE INDEX ix_log_entry_id_person_key ON log (entry_id, person, "key");
CREATE INDEX ix_log_key_seq ON log ("key", seq) WHERE "key" > 0;
CREATE INDEX ix_links_key ON links ("key");
CREATE INDEX ix_contacts_identity ON contacts (identity);
CREATE INDEX ix_events_person_mail ON events (person, mail);
CREATE INDEX ix_answers_person ON answers (person) WHERE person > 0;
CREATE INDEX ix_answers_at_id ON answers (at, id);
CREATE INDEX ix_answers_question_at_id ON answers (question, at, id);
CREATE UNIQUE INDEX ix_claims_campaign_inbox ON claims (campaign, inbox) WHERE leaves_list IS NOT NULL AND state != 'returned';
CREATE INDEX ix_claims_person ON claims (person);
CREATE UNIQUE INDEX ix_tasks_id ON tasks (id);
CREATE INDEX ix_tasks_target_state_urgency_no ON tasks (target, state, urgency, no);
CREATE INDEX ix_tasks_urgency_no ON tasks (urgency, no);
CREATE INDEX ix_tasks_person ON tasks (person) WHERE person > 0;
CREATE INDEX ix_attempts_task ON attempts (task);
COMMIT;
