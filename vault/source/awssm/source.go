package awssm

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source"
)

// Source reads AWS Secrets Manager. Make one with [New]. It is safe for concurrent use.
type Source struct {
	o   Options
	api *secretsmanager.Client
	hub *source.Hub
}

// New returns a source. It asks the service nothing yet.
func New(o Options) (*Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Source{o: o, api: newClient(o)}
	s.hub = source.NewHub(o.Name, s.Get, o.PollInterval,
		source.WithName(o.Name), source.WithMaxWatchers(o.MaxWatchers), source.WithLogger(o.Logger))
	return s, nil
}

// Name returns "aws-secrets-manager", or the name it was given.
func (s *Source) Name() string { return s.o.Name }

// namePattern is what a secret may be called. An ARN is none: it can name another account's secret.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)

// Get reads the version that has the stage. Its version is the time it was made, in microseconds since 1970; its id and stages
// are in the metadata (version_id, version_stages).
func (s *Source) Get(ctx context.Context, key string) (*source.Value, error) {
	if err := s.open(ctx, key); err != nil {
		return nil, err
	}
	name, field, err := source.SplitField(key)
	if err != nil {
		return nil, err
	}
	if !namePattern.MatchString(name) {
		return nil, s.missing(key)
	}
	within, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	got, err := s.api.GetSecretValue(within, &secretsmanager.GetSecretValueInput{SecretId: aws.String(name), VersionStage: aws.String(s.o.Stage)})
	if err != nil {
		return nil, s.failed(within, err, key, name)
	}
	return s.value(key, field, got)
}

func (s *Source) open(ctx context.Context, key string) error {
	if err := s.hub.Closed(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return classify(ctx, ctx.Err(), "asking")
	}
	return source.CheckKey(key)
}

func (s *Source) missing(key string) error {
	return fault.Wrap(fault.NotFound, source.ErrKeyNotFound, "the source %s has no key %q", s.o.Name, key).WithCode("KeyNotFound")
}

// failed tells a secret that is not there, or is scheduled for deletion, from a failure. The service has one code for the
// latter and for other things, so that it is asked.
func (s *Source) failed(ctx context.Context, err error, key, name string) error {
	var none *types.ResourceNotFoundException
	var request *types.InvalidRequestException
	switch {
	case errors.As(err, &none):
		return s.missing(key)
	case errors.As(err, &request):
		about, aerr := s.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(name)})
		if aerr == nil && about.DeletedDate != nil {
			return s.missing(key)
		}
	}
	return classify(ctx, err, "reading "+name)
}

func (s *Source) value(key, field string, got *secretsmanager.GetSecretValueOutput) (*source.Value, error) {
	raw := slices.Clone(got.SecretBinary)
	if got.SecretString != nil {
		raw = []byte(*got.SecretString)
	}
	defer func() { clear(raw) }()
	if field != "" {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil, fault.New(fault.Failed, "the secret of %q in the source %s is no JSON object, so it has no fields", key, s.o.Name)
		}
		one, found := source.Field(object, field)
		if !found {
			return nil, s.missing(key)
		}
		clear(raw)
		raw = one
	}
	if int64(len(raw)) > s.o.MaxSize {
		return nil, fault.New(fault.TooLarge, "the value of %q in the source %s has more than %d bytes", key, s.o.Name, s.o.MaxSize)
	}
	v := &source.Value{Key: key, Raw: sealed.New(raw), Source: s.o.Name, Metadata: map[string]string{
		"version_id": aws.ToString(got.VersionId), "version_stages": strings.Join(got.VersionStages, ",")}}
	if got.CreatedDate != nil {
		v.Version = got.CreatedDate.UnixMicro()
	}
	return v, nil
}

// List reads the secrets whose names begin with prefix, one call each.
func (s *Source) List(ctx context.Context, prefix string) ([]*source.Value, error) {
	if err := s.open(ctx, "x"+prefix); err != nil {
		return nil, err
	}
	if prefix != "" && !namePattern.MatchString(prefix) {
		return nil, nil
	}
	names, err := s.names(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := []*source.Value{}
	for _, name := range names {
		v, err := s.Get(ctx, name)
		if errors.Is(err, source.ErrKeyNotFound) {
			continue // gone meanwhile, or no version of it has the stage
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Source) names(ctx context.Context, prefix string) (names []string, err error) {
	in := &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(100)}
	if prefix != "" {
		in.Filters = []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{prefix}}}
	}
	for pages := secretsmanager.NewListSecretsPaginator(s.api, in); pages.HasMorePages(); {
		within, cancel := context.WithTimeout(ctx, s.o.Timeout)
		page, err := pages.NextPage(within)
		if err != nil {
			err = classify(within, err, "listing")
			cancel()
			return nil, err
		}
		cancel()
		for _, e := range page.SecretList {
			if name := aws.ToString(e.Name); strings.HasPrefix(name, prefix) && e.DeletedDate == nil {
				names = append(names, name)
			}
		}
		if len(names) > s.o.MaxList {
			return nil, fault.New(fault.TooLarge, "the source %s has more than %d keys that begin with %q", s.o.Name, s.o.MaxList, prefix).
				WithHint("ask for keys by name, or with a longer prefix")
		}
	}
	slices.Sort(names)
	return names, nil
}

// Watch has fn called when a key changes; the service is asked every PollInterval. See source.Source.
func (s *Source) Watch(ctx context.Context, key string, fn source.WatchFunc) error {
	return s.hub.Watch(ctx, key, fn)
}

// Close ends every watch.
func (s *Source) Close() error {
	s.hub.Close()
	return nil
}
