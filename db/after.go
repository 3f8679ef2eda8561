package db

import (
	"fmt"
	"slices"

	"github.com/haywardhq/hayward/fault"
)

// after collects what must happen between commit and acknowledgement.
type after struct {
	steps []*step
	notes []note // for other processes, sent with the commit
}

// step is one function, and the jobs whose acknowledgement waits for it.
type step struct {
	key  any
	fn   func() error
	jobs []*job
}

func (a *after) add(key any, fn func() error, j *job) {
	if key != nil {
		for _, s := range a.steps {
			if s.key == key {
				s.jobs = append(s.jobs, j)
				return
			}
		}
	}
	a.steps = append(a.steps, &step{key: key, fn: fn, jobs: []*job{j}})
}

// forget drops what a job that failed asked for.
func (a *after) forget(j *job) {
	a.steps = slices.DeleteFunc(a.steps, func(s *step) bool {
		s.jobs = slices.DeleteFunc(s.jobs, func(have *job) bool { return have == j })
		return len(s.jobs) == 0
	})
	a.notes = slices.DeleteFunc(a.notes, func(n note) bool { return n.job == j })
}

// run runs the steps without a key, then those with one, which read what the others left. A step that fails is the
// failure of the jobs that wait for it, and of no others.
func (a *after) run() {
	for _, keyed := range [...]bool{false, true} {
		for _, s := range a.steps {
			if (s.key != nil) == keyed {
				s.run()
			}
		}
	}
}

func (s *step) run() {
	if err := s.call(); err != nil {
		failAll(s.jobs, fault.Wrap(fault.Unavailable, err, "the write is stored, but could not be acknowledged"))
	}
}

func (s *step) call() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic after a commit: %v", p)
		}
	}()
	return s.fn()
}
