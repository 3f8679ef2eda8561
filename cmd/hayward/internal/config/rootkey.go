package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// The places that a root key comes from.
const (
	RootKeyAuto     = "auto"
	RootKeyVar      = "variable"
	RootKeyInFile   = "file"
	RootKeyAWSKMS   = "aws-kms"
	RootKeyGCPKMS   = "gcp-kms"
	RootKeyTransit  = "transit"
	rootKeyPlaces   = "variable, file, aws-kms, gcp-kms and transit"
	rootKeyServices = "aws-kms, gcp-kms and transit"
)

// Former says where the root key came from before, and under which key of a service; "" is the one of that service's settings.
func (c Config) Former() (place, key string) {
	place, key, _ = strings.Cut(c.RootKeyFormer, ":")
	return place, key
}

// isService reports whether a place wraps the root key.
func isService(place string) bool {
	return place == RootKeyAWSKMS || place == RootKeyGCPKMS || place == RootKeyTransit
}

// uses reports whether the root key comes or came from a place.
func (c Config) uses(place string) bool {
	former, _ := c.Former()
	return c.RootKeyFrom == place || former == place
}

func (c Config) badRootKey() string {
	if wrong := notOneOf(c.RootKeyFrom, RootKeyAuto, RootKeyVar, RootKeyInFile, RootKeyAWSKMS, RootKeyGCPKMS, RootKeyTransit); wrong != "" {
		return wrong
	}
	key := map[string]string{RootKeyAWSKMS: c.AWSKMSKey, RootKeyGCPKMS: c.GCPKMSKey, RootKeyTransit: c.TransitKey}
	if isService(c.RootKeyFrom) && key[c.RootKeyFrom] == "" {
		return fmt.Sprintf("%s needs %s-key", c.RootKeyFrom, c.RootKeyFrom)
	}
	return ""
}

// badFormer wants another place than the one now, or another key there.
func (c Config) badFormer() string {
	if c.RootKeyFormer == "" {
		return ""
	}
	place, key := c.Former()
	if notOneOf(place, RootKeyVar, RootKeyInFile, RootKeyAWSKMS, RootKeyGCPKMS, RootKeyTransit) != "" {
		return fmt.Sprintf("%q is none of %s", place, rootKeyPlaces)
	}
	now := map[string]string{RootKeyAWSKMS: c.AWSKMSKey, RootKeyGCPKMS: c.GCPKMSKey, RootKeyTransit: c.TransitKey}[place]
	switch {
	case c.RootKeyFrom == RootKeyAuto:
		return "with it, root-key-from says where the root key is to come from"
	case strings.Contains(c.RootKeyFormer, ":") && (!isService(place) || key == ""):
		return fmt.Sprintf("only %s have a key after a colon", rootKeyServices)
	case isService(place) && key == "" && now == "":
		return fmt.Sprintf("%s needs its former key: %s:KEY", place, place)
	case place == c.RootKeyFrom && (key == "" || key == now):
		return "it is where the root key comes from now; leave it empty"
	}
	return ""
}

func (c Config) badAWSKMS() string {
	if !c.uses(RootKeyAWSKMS) {
		return unused("root-key-from", c.AWSKMSRegion, c.AWSKMSKey, c.AWSKMSCredentialsFile, c.AWSKMSEndpoint)
	}
	return unless(c.AWSKMSRegion != "" && c.AWSKMSCredentialsFile != "", "aws-kms needs aws-kms-region and aws-kms-credentials-file")
}

func (c Config) badGCPKMS() string {
	if !c.uses(RootKeyGCPKMS) {
		return unused("root-key-from", c.GCPKMSKey, c.GCPKMSAccountFile, c.GCPKMSEndpoint, c.GCPKMSTokenURL)
	}
	return unless(c.GCPKMSAccountFile != "", "gcp-kms needs gcp-kms-account-file")
}

func (c Config) badTransit() string {
	if !c.uses(RootKeyTransit) {
		return unused("root-key-from", c.TransitAddress, c.TransitKey, c.TransitNamespace, c.TransitTokenFile, c.TransitRoleID, c.TransitSecretIDFile,
			c.TransitKubernetesRole, c.TransitCAFile)
	}
	if c.TransitAddress == "" {
		return "transit needs transit-address"
	}
	return badBao("transit-", c.TransitAddress, c.TransitTokenFile, c.TransitRoleID, c.TransitSecretIDFile, c.TransitKubernetesRole)
}

// unused reports settings that nothing looks at: whoever wrote them believes that the key is elsewhere.
func unused(chooser string, settings ...string) string {
	return unless(strings.Join(settings, "") == "", "settings of it are given, but neither %s nor root-key-former names it", chooser)
}

func (c Config) notOutside(file string) string {
	return unless(file == "" || c.DataDir == "" || !inside(file, c.DataDir), "the root key must not lie in the data directory: a copy of one would hold both")
}

// RootKeyPath returns the file of the root key: the setting, or hayward/root.key in the user's configuration directory.
func (c Config) RootKeyPath() (string, error) {
	return keyPath("root-key-file", c.RootKeyFile, "root.key")
}

// WrappedRootKeyPath returns the file of the wrapped root key, likewise.
func (c Config) WrappedRootKeyPath() (string, error) {
	return keyPath("root-key-wrapped-file", c.RootKeyWrappedFile, "root.key.wrapped")
}

func keyPath(setting, path, name string) (string, error) {
	if path != "" {
		return filepath.Abs(path)
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "there is no home directory to keep the root key in").WithHint("set %s", setting)
	}
	return filepath.Join(base, "hayward", name), nil
}
