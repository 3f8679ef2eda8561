package metrics

// Counter counts up.
type Counter interface {
	Inc()
	Add(n float64)
}

// Histogram collects how values are distributed.
type Histogram interface {
	Observe(v float64)
}

// MetricFactory makes instruments by name. Asked twice for a name, it may return the same one.
type MetricFactory interface {
	Counter(name string) Counter
	Histogram(name string) Histogram
}

// Collector holds the vault's instruments. Times are in seconds.
type Collector struct {
	SecretAccessed Counter   // vault_secret_accessed_total: values handed out
	SecretSet      Counter   // vault_secret_set_total: versions written, rotations included
	SecretDeleted  Counter   // vault_secret_deleted_total: deletions, soft and hard, and destructions
	SecretRotated  Counter   // vault_secret_rotated_total: rotations whose new value is served
	FlagEvaluated  Counter   // vault_flag_evaluated_total: evaluations, failed ones included
	FlagEvalTime   Histogram // vault_flag_eval_duration_seconds: of one evaluation in 64, so that measuring costs little
	ConfigRead     Counter   // vault_config_read_total: config values asked for
	ConfigWritten  Counter   // vault_config_written_total: config entries set, rolled back or deleted
	OverrideRead   Counter   // vault_override_read_total: resolutions through overrides
	AuditRecorded  Counter   // vault_audit_recorded_total: audit entries on disk
	Encrypted      Counter   // vault_encrypted_total: values encrypted under a tenant's key
	Decrypted      Counter   // vault_decrypted_total: values opened
	SourceLatency  Histogram // vault_source_latency_seconds: answers of sources, failures included (see source.Measured)
}

// NewCollector returns a collector whose instruments f makes.
func NewCollector(f MetricFactory) *Collector {
	return &Collector{
		SecretAccessed: f.Counter("vault_secret_accessed_total"), SecretSet: f.Counter("vault_secret_set_total"),
		SecretDeleted: f.Counter("vault_secret_deleted_total"), SecretRotated: f.Counter("vault_secret_rotated_total"),
		FlagEvaluated: f.Counter("vault_flag_evaluated_total"), FlagEvalTime: f.Histogram("vault_flag_eval_duration_seconds"),
		ConfigRead: f.Counter("vault_config_read_total"), ConfigWritten: f.Counter("vault_config_written_total"),
		OverrideRead: f.Counter("vault_override_read_total"), AuditRecorded: f.Counter("vault_audit_recorded_total"),
		Encrypted: f.Counter("vault_encrypted_total"), Decrypted: f.Counter("vault_decrypted_total"),
		SourceLatency: f.Histogram("vault_source_latency_seconds"),
	}
}

// NoopFactory makes instruments that do nothing.
type NoopFactory struct{}

type noop struct{}

func (noop) Inc()            {}
func (noop) Add(float64)     {}
func (noop) Observe(float64) {}

// Counter returns a counter that does nothing.
func (NoopFactory) Counter(string) Counter { return noop{} }

// Histogram returns a histogram that does nothing.
func (NoopFactory) Histogram(string) Histogram { return noop{} }

// NewNoopCollector returns a collector that counts nothing.
func NewNoopCollector() *Collector { return NewCollector(NoopFactory{}) }
