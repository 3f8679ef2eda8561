package config

import (
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
		o.Password, err = SecretFile("database-password-file", c.DatabasePasswordFile)
	}
	return o, err
}
