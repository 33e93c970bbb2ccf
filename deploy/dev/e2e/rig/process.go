package rig

import (
	"bytes"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// stopPatience is how long a process may take to end after a SIGTERM.
const stopPatience = 30 * time.Second

// Process is a part of the product that can be killed and started again. Its
// log is that of all its lives.
type Process struct {
	Name string
	path string
	args []string
	env  []string

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // of the present life; closed at its end
	log   bytes.Buffer
}

// Command makes a process of any program.
func Command(name, path string, env []string, args ...string) *Process {
	return &Process{Name: name, path: path, args: args, env: env}
}

// Start begins a life. The one before must be over.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, writer{p}, writer{p}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is the test's
	dieWithParent(p.cmd.SysProcAttr)
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	cmd, ended := p.cmd, make(chan struct{})
	p.ended = ended
	go func() {
		_ = cmd.Wait() // mostly killed by us
		close(ended)
	}()
	return nil
}

// Kill ends the process at once, as a crash would, and waits until it is gone.
func (p *Process) Kill() { p.signal(syscall.SIGKILL, time.Minute) }

// Restart is a crash and the next start.
func (p *Process) Restart() error {
	p.Kill()
	return p.Start()
}

// Stop asks the process to end, and reports one that would not.
func (p *Process) Stop() error {
	if p.signal(syscall.SIGTERM, stopPatience) {
		return nil
	}
	p.Kill()
	return fmt.Errorf("%s did not stop within %s", p.Name, stopPatience)
}

func (p *Process) signal(s syscall.Signal, patience time.Duration) (ended bool) {
	p.mu.Lock()
	cmd, end := p.cmd, p.ended
	p.mu.Unlock()
	if cmd == nil {
		return true
	}
	_ = cmd.Process.Signal(s) // it may be over already
	select {
	case <-end:
		return true
	case <-time.After(patience):
		return false
	}
}

// Running says whether the present life goes on.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Log is everything that the process has said so far.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

type writer struct{ p *Process }

func (w writer) Write(b []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	return w.p.log.Write(b)
}
