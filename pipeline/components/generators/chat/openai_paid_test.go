package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/generators/chat"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

// model is a server that counts one token for every byte it is sent and every chunk it sends, and remembers the sum.
type model struct {
	*httptest.Server
	honest bool // keeps to max_completion_tokens
	wants  int  // tokens it would like to say
	used   atomic.Int64
	calls  atomic.Int64
	gone   chan struct{} // gets one for every caller who left early
}

func newModel(t testing.TB, honest bool, wants int) *model {
	m := &model{honest: honest, wants: wants, gone: make(chan struct{}, 1000)}
	m.Server = httptest.NewServer(http.HandlerFunc(m.answer))
	t.Cleanup(m.Close)
	return m
}

func (m *model) answer(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	var body struct {
		Stream  bool `json:"stream"`
		Most    int  `json:"max_completion_tokens"`
		Options struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if json.Unmarshal(data, &body) != nil {
		w.WriteHeader(400)
		return
	}
	m.calls.Add(1)
	n := m.wants
	if m.honest && body.Most > 0 {
		n = min(n, body.Most)
	}
	in := len(data) / 4
	m.used.Add(int64(in + n))
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`, in, n, in+n)
	if !body.Stream {
		fmt.Fprintf(w, `{"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"content":"x"}}],%s}`, usage)
		return
	}
	for range n {
		if _, err := io.WriteString(w, `data: {"model":"m","choices":[{"index":0,"delta":{"content":"x"}}]}`+"\n\n"); err != nil || r.Context().Err() != nil {
			m.gone <- struct{}{}
			return
		}
		w.(http.Flusher).Flush()
	}
	if body.Options.Usage {
		io.WriteString(w, `data: {"model":"m","choices":[],`+usage+"}\n\n")
	}
	io.WriteString(w, "data: [DONE]\n\n")
}

const ofModel = `components:
  llm:
    type: haystack.components.generators.chat.openai.OpenAIChatGenerator
    init_parameters: {api_base_url: %s/v1, max_retries: 0, generation_kwargs: %s}
`

func (m *model) plan(t testing.TB, kwargs string) *pipeline.Plan {
	t.Helper()
	reg := component.NewRegistry([]*component.Type{chat.OpenAIChatGeneratorType()}, nil)
	plan, err := pipeline.Load(fmt.Appendf(nil, ofModel, m.URL, kwargs), "p.yml", reg, pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (m *model) run(t testing.TB, ctx context.Context, plan *pipeline.Plan, rc pipeline.RunContext, opts ...pipeline.Option) (*pipeline.Result, error) {
	t.Helper()
	u, _ := url.Parse(m.URL)
	policy, err := egress.NewPolicy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	rc.Secrets = map[string]sealed.Value{"OPENAI_API_KEY": sealed.NewString(key).For(sealed.MustDestination(m.URL))}
	opts = append(opts, pipeline.WithRunContext(rc), pipeline.WithHTTP(egress.New(policy, egress.Options{})))
	return plan.Run(ctx, value.NewDict("messages", value.Str("hello")), opts...)
}

// A hundred runs at once share a budget that is enough for some of them: the provider, which keeps to its bounds, never
// reports more than the budget.
func TestSharedBudgetIsNeverExceeded(t *testing.T) {
	const limit = 5_000
	for name, opts := range map[string][]pipeline.Option{
		"whole":    nil,
		"streamed": {pipeline.WithStream(func(pipeline.StreamEvent) error { return nil })},
	} {
		for _, kwargs := range []string{"{}", "{max_completion_tokens: 40}"} {
			t.Run(name+" "+kwargs, func(t *testing.T) {
				m := newModel(t, true, 1000)
				plan, budget := m.plan(t, kwargs), pipeline.NewBudget(pipeline.BudgetLimits{Tokens: limit})
				var wg sync.WaitGroup
				var refused, answered atomic.Int64
				for range 100 {
					wg.Go(func() {
						res, err := m.run(t, context.Background(), plan, pipeline.RunContext{Budget: budget}, opts...)
						switch {
						case err == nil && res.Ledger.Total.Calls == 1 && res.Ledger.Total.Overrun == 0:
							answered.Add(1)
						case fault.From(err).Code == pipeline.CodeBudgetExceeded && res.Ledger.Total.Refused == 1:
							refused.Add(1)
						default:
							t.Errorf("%v %+v", err, res.Ledger)
						}
					})
				}
				wg.Wait()
				state := budget.State()
				if m.used.Load() > limit || state.Spent.Tokens != m.used.Load() || state.Held != (pipeline.Spending{}) || state.Overrun != 0 {
					t.Errorf("the provider counts %d tokens, the budget of %d says %+v", m.used.Load(), limit, state)
				}
				if refused.Load() == 0 || answered.Load() != m.calls.Load() || answered.Load() == 0 {
					t.Errorf("%d answered, %d refused, %d calls", answered.Load(), refused.Load(), m.calls.Load())
				}
			})
		}
	}
}

// A provider that says more than it may is cut off within one chunk, the overrun is recorded, the next call is refused.
func TestOverrunIsCut(t *testing.T) {
	m := newModel(t, false, 1_000_000)
	plan, budget := m.plan(t, "{}"), pipeline.NewBudget(pipeline.BudgetLimits{Tokens: 500})
	chunks := int64(0)
	res, err := m.run(t, context.Background(), plan, pipeline.RunContext{Budget: budget},
		pipeline.WithStream(func(pipeline.StreamEvent) error { chunks++; return nil }))
	if f := fault.From(err); f.Code != pipeline.CodeBudgetExceeded || f.Kind != fault.Limited || f.Where.Component != "llm" {
		t.Fatalf("got %v", err)
	}
	select {
	case <-m.gone:
	case <-time.After(10 * time.Second):
		t.Error("the provider still talks")
	}
	total, state := res.Ledger.Total, budget.State()
	if total.TokensOut != chunks+1 || total.Overrun != 1 || state.Overrun != 1 || total.Calls != 1 || total.Estimated != 1 {
		t.Errorf("%d chunks came through: %+v", chunks, total)
	}
	if state.Spent.Tokens != total.TokensIn+total.TokensOut {
		t.Errorf("ledger %+v, budget %+v", total, state)
	}
	if _, err = m.run(t, context.Background(), plan, pipeline.RunContext{Budget: budget}); fault.From(err).Code != pipeline.CodeBudgetExceeded {
		t.Errorf("the next call: %v", err)
	}
	if m.calls.Load() != 1 {
		t.Errorf("%d calls left", m.calls.Load())
	}
}

// Tokens and money by component, from what the provider reports.
func TestLedgerOfACall(t *testing.T) {
	m := newModel(t, true, 7)
	res, err := m.run(t, context.Background(), m.plan(t, "{}"), pipeline.RunContext{Prices: pipeline.Prices{"gpt-5-mini": {In: 250, Out: 2000}}})
	if err != nil {
		t.Fatal(err)
	}
	a := res.Ledger.Components["llm"]
	if a.TokensOut != 7 || a.TokensIn == 0 || a.Cost != 250*a.TokensIn+2000*7 || a.Calls != 1 || a.Runs != 1 || a.Estimated+a.Unpriced+a.Overrun != 0 || a.Wall <= 0 {
		t.Errorf("%+v", a)
	}
	if m.calls.Load() != 1 || res.Ledger.Total.TokensIn != a.TokensIn {
		t.Errorf("%+v", res.Ledger)
	}
}

// What the provider refuses costs nothing; what was given up on counts as its worst case.
func TestCallsWithoutAnAnswer(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }))
	defer refusing.Close()
	m := &model{Server: refusing}
	budget := pipeline.NewBudget(pipeline.BudgetLimits{Tokens: 10_000})
	res, err := m.run(t, context.Background(), m.plan(t, "{}"), pipeline.RunContext{Budget: budget})
	if fault.From(err).Code != "PipelineRuntimeError" || res.Ledger.Total.Calls != 0 || budget.State().Spent.Tokens != 0 || budget.State().Held.Tokens != 0 {
		t.Errorf("%v %+v %+v", err, res.Ledger, budget.State())
	}
	arrived := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	}))
	defer silent.Close()
	m = &model{Server: silent}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-arrived; cancel() }()
	res, err = m.run(t, ctx, m.plan(t, "{max_tokens: 100}"), pipeline.RunContext{Budget: budget})
	if spent := budget.State().Spent; !fault.Is(err, fault.Canceled) || spent.Tokens <= 100 || res.Ledger.Total.TokensOut != 100 || spent.Calls != 1 {
		t.Errorf("%v %+v %+v", err, res.Ledger.Total, spent)
	}
}

// Cancelling a run's context ends a stream and a call in flight. The times are measured by BenchmarkCancel.
func TestCancelEndsTheCall(t *testing.T) {
	m := newModel(t, false, 1_000_000)
	plan := m.plan(t, "{}")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := m.run(t, ctx, plan, pipeline.RunContext{}, pipeline.WithStream(func(pipeline.StreamEvent) error { cancel(); return nil }))
	if !fault.Is(err, fault.Canceled) {
		t.Errorf("%v", err)
	}
	<-m.gone
}

// BenchmarkCancel is the time from the cancellation of a run to its end: the median, in a stream and before any answer.
func BenchmarkCancel(b *testing.B) {
	m := newModel(b, false, 1_000_000)
	arrived := make(chan struct{}, 1)
	silent := &model{Server: httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	}))}
	b.Cleanup(silent.Close)
	for name, m := range map[string]*model{"stream": m, "call": silent} {
		plan := m.plan(b, "{}")
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				ctx, cancel := context.WithCancel(context.Background())
				var begin time.Time
				stop := make(chan struct{})
				go func() {
					select {
					case <-arrived:
					case <-stop:
					}
					begin = time.Now()
					cancel()
				}()
				var once sync.Once
				_, err := m.run(b, ctx, plan, pipeline.RunContext{}, pipeline.WithStream(func(pipeline.StreamEvent) error {
					once.Do(func() { close(stop) })
					return nil
				}))
				if !fault.Is(err, fault.Canceled) {
					b.Fatal(err)
				}
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/median")
		})
	}
}
