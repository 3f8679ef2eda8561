package main

import (
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/devllm"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

func (c *cli) devllmCommand() *cobra.Command {
	var listen, keys, models string
	var o devllm.Options
	cmd := &cobra.Command{
		Use: "devllm", Short: "Start a small model server for development", Args: cobra.NoArgs,
		Long: "Speaks OpenAI's chat completions on loopback and answers by quoting the best sentence of the documents in the prompt.\n" +
			"It accepts only the keys in its key file, one per line, and logs a fingerprint of the key it saw.",
		RunE: c.do(func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Keys, err = readKeys(keys); err != nil {
				return err
			}
			o.Models, o.Log = splitComma(models), newLog(c.err, "auto", "info")
			ln, err := devllm.Listen(cmd.Context(), listen)
			if err != nil {
				return err
			}
			if err := say(c.out, "ready http://%s/v1", ln.Addr()); err != nil {
				return err
			}
			return devllm.New(o).Serve(cmd.Context(), ln)
		})}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:11435", "loopback address to listen on")
	f.StringVar(&keys, "keys-file", "", "file of mode 0600 with the keys it accepts, one per line")
	f.StringVar(&models, "models", "", "models it answers for, a,b (default: any)")
	f.DurationVar(&o.Latency, "latency", 0, "wait before each answer")
	f.DurationVar(&o.ChunkDelay, "chunk-delay", 0*time.Millisecond, "wait between the pieces of a stream")
	f.IntVar(&o.FailEvery, "fail-every", 0, "fail every n-th answer with --status")
	f.IntVar(&o.Status, "status", 500, "status of those failures")
	_ = cmd.MarkFlagRequired("keys-file")
	return cmd
}

func readKeys(path string) (keys []sealed.Value, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the key file cannot be read")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the key file cannot be read")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Denied, "the key file %s has mode %04o: others can read it", path, info.Mode().Perm()).WithHint("chmod 600 %s", path)
	}
	return devllm.ReadKeys(f)
}

func splitComma(text string) (out []string) {
	for s := range strings.SplitSeq(text, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
