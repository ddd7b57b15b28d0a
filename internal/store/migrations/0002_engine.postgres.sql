CREATE TABLE audit (
	id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at        BIGINT NOT NULL,
	who       TEXT NOT NULL,
	did       TEXT NOT NULL,
	what      TEXT NOT NULL,
	from_addr TEXT NOT NULL
);

-- What is counted need not outlive a crash, and does not wait for the disk.
CREATE UNLOGGED TABLE limits (
	key  TEXT PRIMARY KEY,
	n    BIGINT NOT NULL,
	ends BIGINT NOT NULL
);
CREATE INDEX limits_ends ON limits (ends);
