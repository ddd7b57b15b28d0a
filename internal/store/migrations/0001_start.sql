CREATE TABLE cases (
	id         TEXT PRIMARY KEY,
	token_hash BYTEA NOT NULL UNIQUE,
	made       BIGINT NOT NULL,
	made_by    TEXT NOT NULL,
	from_name  TEXT NOT NULL,
	note       BYTEA NOT NULL,
	reference  TEXT NOT NULL,
	lang       TEXT NOT NULL,
	outcome    TEXT NOT NULL,
	asks       TEXT NOT NULL,
	expires    BIGINT NOT NULL,
	closed     BIGINT NOT NULL,
	search     TEXT NOT NULL
);
CREATE INDEX cases_made ON cases (made, id);

CREATE TABLE reports (
	id        TEXT PRIMARY KEY,
	case_id   TEXT REFERENCES cases (id) ON DELETE CASCADE,
	at        BIGINT NOT NULL,
	body      BYTEA NOT NULL,
	code      TEXT NOT NULL,
	outcome   TEXT NOT NULL,
	top       TEXT NOT NULL,
	findings  TEXT NOT NULL,
	browser   TEXT NOT NULL,
	system    TEXT NOT NULL,
	tier      TEXT NOT NULL,
	reference TEXT NOT NULL,
	search    TEXT NOT NULL
);
CREATE INDEX reports_at ON reports (at, id);
CREATE INDEX reports_case ON reports (case_id) WHERE case_id IS NOT NULL;

CREATE TABLE users (
	name      TEXT PRIMARY KEY,
	role      TEXT NOT NULL,
	hash      TEXT NOT NULL,
	issuer    TEXT NOT NULL,
	subject   TEXT NOT NULL,
	totp      BYTEA NOT NULL,
	totp_used BIGINT NOT NULL,
	off       BIGINT NOT NULL,
	made      BIGINT NOT NULL,
	seen      BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE issuer <> '';

CREATE TABLE sessions (
	hash      BYTEA PRIMARY KEY,
	user_name TEXT NOT NULL,
	csrf      TEXT NOT NULL,
	made      BIGINT NOT NULL,
	seen      BIGINT NOT NULL,
	expires   BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_name);

CREATE TABLE api_keys (
	name    TEXT PRIMARY KEY,
	hash    BYTEA NOT NULL UNIQUE,
	made_by TEXT NOT NULL,
	made    BIGINT NOT NULL,
	seen    BIGINT NOT NULL
);

CREATE TABLE outbox (
	id    TEXT PRIMARY KEY,
	dest  TEXT NOT NULL,
	body  BYTEA NOT NULL,
	made  BIGINT NOT NULL,
	tries BIGINT NOT NULL,
	due   BIGINT NOT NULL,
	error TEXT NOT NULL
);
CREATE INDEX outbox_due ON outbox (due);

CREATE TABLE ready (at BIGINT NOT NULL);
INSERT INTO ready VALUES (0);
