CREATE TABLE audit (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	at        INTEGER NOT NULL,
	who       TEXT NOT NULL,
	did       TEXT NOT NULL,
	what      TEXT NOT NULL,
	from_addr TEXT NOT NULL
);
