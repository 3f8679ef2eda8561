//go:build unix

package parts

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// keeper makes the cluster, runs it, and ends it and removes its folder once its standard input closes: that happens when
// this process ends, however it ends, because nobody else has the other end of the pipe.
const keeper = `
bin=$1 dir=$2 port=$3 fsync=$4
cd "$dir" || exit 1
trap '' INT TERM HUP
"$bin/initdb" --pgdata=data --username=postgres --pwfile=word --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync \
	--no-instructions >log 2>&1 || { touch failed; read -r _; cd /; rm -rf "$dir"; exit 1; }
"$bin/postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c "fsync=$fsync" \
	-c max_connections=300 -c shared_buffers=64MB -c wal_level=minimal -c max_wal_senders=0 -c "full_page_writes=$fsync" -c autovacuum=off -c log_min_messages=warning -c timezone=UTC </dev/null >>log 2>&1 &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
cd / && rm -rf "$dir"
`

// startPostgres runs a server on loopback; as root it becomes the user postgres, since PostgreSQL refuses root.
func startPostgres(bin string) (s postgresServer, err error) {
	dir, err := os.MkdirTemp("", "hayward-postgres-")
	if err != nil {
		return s, err
	}
	s = postgresServer{host: "127.0.0.1", database: "postgres", user: "postgres", password: rand.Text()}
	if s.port, err = freePort(); err != nil {
		return s, err
	}
	if err := os.WriteFile(filepath.Join(dir, "word"), []byte(s.password), 0o600); err != nil {
		return s, err
	}
	as, err := handOver(dir)
	if err != nil {
		return s, err
	}
	fsync := "off"
	if os.Getenv(PostgresFsync) == "on" {
		fsync = "on"
	}
	cmd := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, dir, strconv.Itoa(s.port), fsync)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as}
	r, w, err := os.Pipe()
	if err != nil {
		return s, err
	}
	cmd.Stdin = r
	if err := cmd.Start(); err != nil {
		return s, err
	}
	held.Store(w)
	return s, s.await(dir)
}

// held is the end of the pipe that the keeper waits on. It is kept here so that nobody closes it.
var held atomic.Pointer[os.File]

// handOver gives the folder to whom the server will run as; nil is this user.
func handOver(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, missingError("PostgreSQL (it does not run as root, and there is neither a user postgres nor nobody)")
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	for _, path := range []string{filepath.Join(dir, "word"), dir} {
		if err := os.Chown(path, uid, gid); err != nil {
			return nil, err
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// await returns once the server answers.
func (s postgresServer) await(dir string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		_, err := s.run(s.database, "SELECT 1")
		if err == nil {
			return nil
		}
		_, failed := os.Stat(filepath.Join(dir, "failed"))
		if failed == nil || time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(log))
		}
	}
}
