package rig

import (
	"net"
	"sync"
)

// Proxy stands between two processes and can fail as a network does.
type Proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	turned *sync.Cond // the state below changed
	cut    bool
	held   [2]bool // by direction: what is sent does not arrive yet
	conns  map[net.Conn]bool
	closed bool
}

// Direction of a one-way failure, as the process that connects sees it.
type Direction int

const (
	Requests Direction = iota
	Answers
)

// NewProxy listens on a free port of this machine.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.turned = sync.NewCond(&p.mu)
	go p.accept()
	return p, nil
}

// Address to connect to.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Cut resets every connection, and every new one, until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	p.resetAll()
}

// Hold keeps back what is sent in one direction until Heal; connections stand.
func (p *Proxy) Hold(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[d] = true
}

// Heal ends every failure. What was held back arrives.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.held = false, [2]bool{}
	p.turned.Broadcast()
}

// Close ends the proxy.
func (p *Proxy) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.resetAll()
	return p.listener.Close()
}

// resetAll needs p.mu.
func (p *Proxy) resetAll() {
	for c := range p.conns {
		reset(c)
	}
	clear(p.conns)
	p.turned.Broadcast()
}

// reset ends a connection with a RST instead of a polite FIN.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // best effort: the close below counts
	}
	_ = c.Close()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		go p.serve(c)
	}
}

func (p *Proxy) serve(in net.Conn) {
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(in)
		return
	}
	if !p.admit(in, out) {
		reset(in)
		reset(out)
		return
	}
	go p.carry(in, out, Requests)
	p.carry(out, in, Answers)
}

func (p *Proxy) admit(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut || p.closed {
		return false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	return true
}

// carry moves bytes one way until either side ends.
func (p *Proxy) carry(from, to net.Conn, d Direction) {
	defer func() {
		p.mu.Lock()
		delete(p.conns, from)
		p.mu.Unlock()
		_ = from.Close()
		_ = to.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && (!p.pass(from, d) || !write(to, buf[:n])) {
			return
		}
		if err != nil {
			return
		}
	}
}

// pass waits while the direction is held; false: the connection was reset.
func (p *Proxy) pass(from net.Conn, d Direction) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.held[d] && p.conns[from] {
		p.turned.Wait()
	}
	return p.conns[from]
}

func write(to net.Conn, b []byte) bool {
	_, err := to.Write(b)
	return err == nil
}
