package awssm

import (
	"context"
	"log/slog"
	"regexp"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source"
)

// Options configures [New]. Region and the keys are needed; the zero value of everything else is its default.
type Options struct {
	Region          string // "eu-central-1"
	AccessKeyID     sealed.Value
	SecretAccessKey sealed.Value
	SessionToken    sealed.Value // of temporary keys; default none
	// Keys, if not nil, is asked for the keys before each request in place of the three above, so that keys that are replaced
	// outside are used from then on. It must be quick. An access key id, a secret access key and, or zero, a session token.
	Keys     func(ctx context.Context) (id, secret, token sealed.Value, err error)
	Endpoint string // an origin; default is the region's own
	Stage    string // which version is read; default "AWSCURRENT"
	Name     string // default "aws-secrets-manager"

	Client *egress.Client // sends; nil: one is made that reaches public addresses and what Egress allows
	Egress egress.Policy

	Attempts     int           // default 4; throttling and failures of the service are tried again
	MaxBackoff   time.Duration // the longest wait between two attempts; default 5 s
	Timeout      time.Duration // of one call with all its attempts; default 30 s
	MaxResponse  int64         // bytes of an answer; default 4 MiB
	MaxSize      int64         // bytes of a value; default 64 KiB, the service's own limit
	MaxList      int           // secrets that a list has at most; default 1000
	PollInterval time.Duration // of each watch; default 1 min: the service does not tell of changes, and each look costs money
	MaxWatchers  int           // default 1024
	Logger       *slog.Logger  // default: nowhere
}

var (
	regionPattern = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)
	stagePattern  = regexp.MustCompile(`^[A-Za-z0-9_+=.@-]{1,256}$`)
)

func (o Options) withDefaults() (Options, error) {
	if !regionPattern.MatchString(o.Region) {
		return o, fault.New(fault.Invalid, "the region of AWS Secrets Manager is missing or none").At(fault.Where{Field: "region"}).
			WithHint("a region such as eu-central-1; the environment is not asked")
	}
	if o.Keys == nil && (o.AccessKeyID.IsZero() || o.SecretAccessKey.IsZero()) {
		return o, fault.New(fault.Invalid, "the keys for AWS Secrets Manager are missing").At(fault.Where{Field: "access_key_id"}).
			WithHint("give an access key id and a secret access key; no file, variable or instance metadata is asked")
	}
	if o.Endpoint != "" {
		dest, err := sealed.ParseDestination(o.Endpoint)
		if err != nil {
			return o, err
		}
		o.Endpoint = dest.String()
	}
	if o.Stage == "" {
		o.Stage = "AWSCURRENT"
	}
	if !stagePattern.MatchString(o.Stage) {
		return o, fault.New(fault.Invalid, "the version stage for AWS Secrets Manager is none").At(fault.Where{Field: "stage"}).
			WithHint("AWSCURRENT, AWSPREVIOUS or a label of your own")
	}
	if o.Name == "" {
		o.Name = "aws-secrets-manager"
	}
	positive(&o.Attempts, 4)
	positive(&o.MaxBackoff, 5*time.Second)
	positive(&o.Timeout, 30*time.Second)
	positive(&o.MaxResponse, 4<<20)
	positive(&o.MaxSize, source.DefaultMaxSize)
	positive(&o.MaxList, 1000)
	positive(&o.PollInterval, time.Minute)
	positive(&o.MaxWatchers, source.DefaultMaxWatchers)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = egress.New(o.Egress, egress.Options{ResponseHeaderTimeout: time.Minute, MaxIdleConnsPerHost: 16})
	}
	return o, nil
}

func positive[T int | int64 | time.Duration](n *T, def T) {
	if *n <= 0 {
		*n = def
	}
}
