package main

import (
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/keyring/awskms"
	"github.com/haywardhq/hayward/vault/keyring/gcpkms"
	"github.com/haywardhq/hayward/vault/keyring/transit"
	"github.com/haywardhq/hayward/vault/source/openbao"
)

// rootKey makes, from settings, what a root key comes from. What it opened is closed with it.
type rootKey struct {
	c              config.Config
	plain, wrapped string // files
	outside        string // the data directory
	log            *slog.Logger
	open           []io.Closer
}

// setRootKey says where the root key comes from.
func setRootKey(c config.Config, s *app.Settings) error {
	k := &rootKey{c: c, outside: s.DataDir, log: s.Log}
	var err error
	if k.plain, err = c.RootKeyPath(); err != nil {
		return err
	}
	if k.wrapped, err = c.WrappedRootKeyPath(); err != nil {
		return err
	}
	if s.Root, err = k.provider(); err != nil {
		return errors.Join(err, k.close())
	}
	s.CloseRoot = k.close
	return nil
}

func (k *rootKey) close() error {
	var errs []error
	for _, c := range k.open {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// provider is the place now, with the way there from the former one. Two keys of services share the file, so that the way from
// one to the other is the file's own.
func (k *rootKey) provider() (keyring.Provider, error) {
	place := k.c.RootKeyFrom
	if place == "" || place == config.RootKeyAuto {
		return keyring.ChooseRoot(config.RootKeyVariable, k.plain, k.outside), nil
	}
	former, formerKey := k.c.Former()
	was, err := k.service(former, formerKey)
	if err != nil {
		return nil, err
	}
	now, err := k.service(place, "")
	if err != nil {
		return nil, err
	}
	var to keyring.Rotator
	switch {
	case now != nil && was != nil:
		return keyring.WrappedRoot(k.wrapped, now, []keyring.KMS{was}, k.outside), nil
	case now != nil:
		to = keyring.WrappedRoot(k.wrapped, now, nil, k.outside)
	default:
		to = k.bare(place)
	}
	switch {
	case former == "":
		return to, nil
	case was != nil:
		return keyring.Moving(keyring.WrappedRoot(k.wrapped, was, nil, k.outside), to), nil
	}
	return keyring.Moving(k.bare(former), to), nil
}

// bare is a place that holds the root key itself.
func (k *rootKey) bare(place string) keyring.Rotator {
	if place == config.RootKeyVar {
		return keyring.EnvRoot(config.RootKeyVariable)
	}
	return keyring.FileRoot(k.plain, k.outside)
}

// service is the key management service of a place under one of its keys, "" being that of the settings; nil for other places.
func (k *rootKey) service(place, key string) (keyring.KMS, error) {
	switch place {
	case config.RootKeyAWSKMS:
		return k.awsKMS(or(key, k.c.AWSKMSKey))
	case config.RootKeyGCPKMS:
		return k.gcpKMS(or(key, k.c.GCPKMSKey))
	case config.RootKeyTransit:
		return k.transit(or(key, k.c.TransitKey))
	}
	return nil, nil
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func (k *rootKey) awsKMS(key string) (keyring.KMS, error) {
	keys, err := config.OpenAWSKeys("aws-kms-credentials-file", k.c.AWSKMSCredentialsFile)
	if err != nil {
		return nil, err
	}
	o := awskms.Options{Region: k.c.AWSKMSRegion, KeyID: key, Endpoint: k.c.AWSKMSEndpoint, Keys: keys.Keys}
	if o.Egress, err = app.PolicyFor(o.Endpoint); err != nil {
		return nil, err
	}
	return asKMS(awskms.New(o))
}

func (k *rootKey) gcpKMS(key string) (keyring.KMS, error) {
	account, err := config.SecretDocument("gcp-kms-account-file", k.c.GCPKMSAccountFile)
	if err != nil {
		return nil, err
	}
	o := gcpkms.Options{Key: key, ServiceAccount: account, Endpoint: k.c.GCPKMSEndpoint, TokenURL: k.c.GCPKMSTokenURL}
	if o.Egress, err = app.PolicyFor(o.Endpoint, o.TokenURL); err != nil {
		return nil, err
	}
	return asKMS(gcpkms.New(o))
}

func (k *rootKey) transit(key string) (keyring.KMS, error) {
	o := transit.Options{Address: k.c.TransitAddress, Key: key, Mount: k.c.TransitMount, Namespace: k.c.TransitNamespace, Logger: k.log}
	var err error
	if o.Egress, err = app.PolicyFor(o.Address); err != nil {
		return nil, err
	}
	if o.CA, err = certificates("transit-ca-file", k.c.TransitCAFile); err != nil {
		return nil, err
	}
	if o.Auth, err = baoLogin("transit-", k.c.TransitTokenFile, k.c.TransitRoleID, k.c.TransitSecretIDFile, k.c.TransitKubernetesRole); err != nil {
		return nil, err
	}
	t, err := transit.New(o)
	if err != nil {
		return nil, err
	}
	k.open = append(k.open, t)
	return t, nil
}

// asKMS keeps a nil pointer from becoming a service.
func asKMS[T keyring.KMS](service T, err error) (keyring.KMS, error) {
	if err != nil {
		return nil, err
	}
	return service, nil
}

// certificates reads a PEM file; "" is none.
func certificates(setting, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file of the setting %s cannot be read", setting)
	}
	return pem, nil
}

// baoLogin reads how to log in at an OpenBao or Vault server. The prefix is that of the settings, for errors.
func baoLogin(prefix, tokenFile, roleID, secretIDFile, kubernetesRole string) (openbao.Auth, error) {
	switch {
	case kubernetesRole != "":
		return openbao.Kubernetes{Role: kubernetesRole}, nil
	case roleID != "":
		id, err := config.SecretFile(prefix+"secret-id-file", secretIDFile)
		return openbao.AppRole{RoleID: sealed.NewString(roleID), SecretID: id}, err
	}
	token, err := config.SecretFile(prefix+"token-file", tokenFile)
	return openbao.Token{Value: token}, err
}
