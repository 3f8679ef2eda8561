package config

import (
	"bytes"
	"io"
	"os"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Database says where the PostgreSQL database is and as whom to enter it, without a password; nil means SQLite.
func (c Config) Database() (*db.PostgresOptions, error) {
	if c.DatabaseURL == "" {
		if c.DatabasePasswordFile != "" {
			return nil, fault.New(fault.Invalid, "a password is given, but no database")
		}
		return nil, nil
	}
	o, err := db.ParsePostgresURL(sealed.NewString(c.DatabaseURL))
	if err != nil {
		return nil, err
	}
	if !o.Password.IsZero() {
		return nil, fault.New(fault.Invalid, "it holds a password, which others read in lists of processes and in files: "+
			"use %s or database-password-file", DatabasePasswordVariable)
	}
	return &o, nil
}

// OpenDatabase is [Config.Database] with the password, from the variable or the file.
func (c Config) OpenDatabase() (*db.PostgresOptions, error) {
	o, err := c.Database()
	if o == nil || err != nil {
		return nil, err
	}
	o.Password = c.DatabasePassword
	if o.Password.IsZero() && c.DatabasePasswordFile != "" {
		o.Password, err = passwordFile(c.DatabasePasswordFile)
	}
	return o, err
}

func passwordFile(path string) (sealed.Value, error) {
	f, err := os.Open(path)
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Invalid, err, "the database's password cannot be read")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Invalid, err, "the database's password cannot be read")
	}
	if loose(info.Mode()) {
		return sealed.Value{}, fault.New(fault.Invalid, "others than its owner may use the file of the database's password, %s", path).
			WithHint("chmod 600 %s", path)
	}
	const most = 4096
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	b = bytes.TrimRight(b, "\r\n")
	if err != nil || len(b) > most || len(b) == 0 {
		return sealed.Value{}, fault.New(fault.Invalid, "the file of the database's password, %s, holds none of 1 to %d bytes", path, most)
	}
	return sealed.New(b), nil
}
