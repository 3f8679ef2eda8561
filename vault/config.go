package vault

import (
	"fmt"
	"io"
	"time"
)

// Config holds the settings of a [Vault]. A field that is zero says nothing: it leaves what an option before it has set, and
// else means the default.
type Config struct {
	AppID string `json:"app_id" yaml:"app_id"` // of calls that name none

	EncryptionKey    []byte `json:"-" yaml:"-"`                                   // 32 bytes; copied and sealed at once
	EncryptionKeyEnv string `json:"encryption_key_env" yaml:"encryption_key_env"` // a variable with the key, for want of one

	FlagCacheTTL       time.Duration `json:"flag_cache_ttl" yaml:"flag_cache_ttl"`             // default 30 s
	SourcePollInterval time.Duration `json:"source_poll_interval" yaml:"source_poll_interval"` // default 30 s
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{FlagCacheTTL: 30 * time.Second, SourcePollInterval: 30 * time.Second}
}

// Format prints the settings without the key, for every verb.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("vault.Config{AppID:%q EncryptionKeyEnv:%q FlagCacheTTL:%s SourcePollInterval:%s}",
		c.AppID, c.EncryptionKeyEnv, c.FlagCacheTTL, c.SourcePollInterval))
}
