package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

type (
	users    struct{ *db }
	sessions struct{ *db }
	keys     struct{ *db }
)

const userColumns = `name, role, hash, issuer, subject, totp, totp_used, off, made, seen`

func totpOf(name string) string { return "user.totp " + name }

func (s users) read(r row) (User, error) {
	var u User
	var totp []byte
	err := r.Scan(&u.Name, &u.Role, &u.Hash, &u.Issuer, &u.Subject, &totp, &u.TOTPUsed, &u.Off, instant{&u.Made}, instant{&u.Seen})
	if err != nil {
		return User{}, err
	}
	if totp, err = s.seal.open(totpOf(u.Name), totp); err != nil {
		return User{}, err
	}
	u.TOTP = string(totp)
	return u, nil
}

func (s users) Add(ctx context.Context, u User) error {
	_, err := s.exec(ctx, `INSERT INTO users (`+userColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		u.Name, string(u.Role), u.Hash, u.Issuer, u.Subject, s.seal.seal(totpOf(u.Name), []byte(u.TOTP)), u.TOTPUsed, u.Off, s.or(u.Made), u.Seen)
	return err
}

func (s users) Get(ctx context.Context, name string) (User, error) {
	return one(ctx, s.db, s.read, `SELECT `+userColumns+` FROM users WHERE name = ?`, name)
}

func (s users) BySubject(ctx context.Context, issuer, subject string) (User, error) {
	if issuer == "" {
		return User{}, ErrNotFound
	}
	return one(ctx, s.db, s.read, `SELECT `+userColumns+` FROM users WHERE issuer = ? AND subject = ?`, issuer, subject)
}

func (s users) List(ctx context.Context) ([]User, error) {
	return many(ctx, s.db, s.read, `SELECT `+userColumns+` FROM users ORDER BY name`)
}

func (s users) Set(ctx context.Context, u User) error {
	return s.exec1(ctx, `UPDATE users SET role = ?, hash = ?, issuer = ?, subject = ?, totp = ?, off = ?, seen = ? WHERE name = ?`,
		string(u.Role), u.Hash, u.Issuer, u.Subject, s.seal.seal(totpOf(u.Name), []byte(u.TOTP)), u.Off, u.Seen, u.Name)
}

func (s users) Touch(ctx context.Context, name string) error {
	return s.exec1(ctx, `UPDATE users SET seen = ? WHERE name = ?`, s.now(), name)
}

func (s users) UseTOTP(ctx context.Context, name string, step int64) error {
	err := s.exec1(ctx, `UPDATE users SET totp_used = ? WHERE name = ? AND totp_used < ?`, step, name, step)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if has, err := s.has(ctx, `SELECT 1 FROM users WHERE name = ?`, name); err != nil {
		return err
	} else if has {
		return ErrConflict
	}
	return ErrNotFound
}

func (s users) Delete(ctx context.Context, name string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		n, err := s.execIn(ctx, tx, `DELETE FROM users WHERE name = ?`, name)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		_, err = s.execIn(ctx, tx, `DELETE FROM sessions WHERE user_name = ?`, name)
		return err
	})
	return s.scrubbed(ctx, err)
}

func (s sessions) Add(ctx context.Context, v Session) error {
	_, err := s.exec(ctx, `INSERT INTO sessions (hash, user_name, csrf, made, seen, expires) VALUES (?, ?, ?, ?, ?, ?)`,
		v.Hash, v.User, v.CSRF, s.or(v.Made), s.or(v.Seen), v.Expires)
	return err
}

func (s sessions) Get(ctx context.Context, hash []byte) (Session, error) {
	return one(ctx, s.db, func(r row) (v Session, err error) {
		return v, r.Scan(&v.Hash, &v.User, &v.CSRF, instant{&v.Made}, instant{&v.Seen}, instant{&v.Expires})
	}, `SELECT hash, user_name, csrf, made, seen, expires FROM sessions WHERE hash = ? AND expires > ?`, hash, s.now())
}

func (s sessions) Touch(ctx context.Context, hash []byte) error {
	return s.exec1(ctx, `UPDATE sessions SET seen = ? WHERE hash = ?`, s.now(), hash)
}

func (s sessions) Delete(ctx context.Context, hash []byte) error {
	return s.exec1(ctx, `DELETE FROM sessions WHERE hash = ?`, hash)
}

func (s sessions) DeleteUser(ctx context.Context, name string) error {
	_, err := s.exec(ctx, `DELETE FROM sessions WHERE user_name = ?`, name)
	return err
}

const keyColumns = `name, hash, made_by, made, seen`

func readKey(r row) (k Key, err error) {
	return k, r.Scan(&k.Name, &k.Hash, &k.By, instant{&k.Made}, instant{&k.Seen})
}

func (s keys) Add(ctx context.Context, k Key) error {
	_, err := s.exec(ctx, `INSERT INTO api_keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?)`, k.Name, k.Hash, k.By, s.or(k.Made), k.Seen)
	return err
}

func (s keys) ByHash(ctx context.Context, hash []byte) (Key, error) {
	k, err := one(ctx, s.db, readKey, `SELECT `+keyColumns+` FROM api_keys WHERE hash = ?`, hash)
	if now := s.now(); err == nil && now.Sub(k.Seen) >= time.Minute {
		// A disk that is full is no reason to turn a key away.
		if _, err := s.exec(ctx, `UPDATE api_keys SET seen = ? WHERE hash = ?`, now, hash); err != nil {
			s.log.Warn("cannot note that a key was used", "key", k.Name, "err", err)
		}
	}
	return k, err
}

func (s keys) List(ctx context.Context) ([]Key, error) {
	return many(ctx, s.db, readKey, `SELECT `+keyColumns+` FROM api_keys ORDER BY name`)
}

func (s keys) Delete(ctx context.Context, name string) error {
	return s.exec1(ctx, `DELETE FROM api_keys WHERE name = ?`, name)
}
