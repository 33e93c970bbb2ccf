package ask

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
)

// Credential is one account at one carrier, with what may be sent under it.
type Credential struct {
	carriers.Account
	// Of are the carriers whose parcels an aggregator may be asked for; a
	// carrier's own credential needs none.
	Of []string
	// Batch is how many numbers one request may carry.
	Batch   int
	Windows []carriers.Window
	// Subscribes: pushes can be asked for, SubscribeBatch numbers at a time.
	// Backfills: they tell what happened before; otherwise track once as well.
	Subscribes, Backfills bool
	SubscribeBatch        int

	api     carriers.API
	adapter carriers.Adapter
}

// fits says whether a parcel of that carrier is asked for under the credential.
func (c *Credential) fits(carrier string) bool {
	return c.Carrier == carrier || slices.Contains(c.Of, carrier)
}

// maxFile bounds the file of credentials, in bytes.
const maxFile = 1 << 20

// Parse reads a file of credentials, YAML or JSON:
//
//	credentials:
//	  - name: ups-main
//	    carrier: ups
//	    key: ${UPS_CLIENT_ID}
//	    secret: ${UPS_CLIENT_SECRET}
//
// ${NAME} is read from the environment. Every fault is named by line and field;
// values are never shown. docs/carriers.md lists the fields.
func Parse(file []byte, env func(string) (string, bool)) ([]Credential, error) {
	if len(file) > maxFile {
		return nil, fmt.Errorf("%d bytes, %d at most", len(file), maxFile)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(file, &doc); err != nil {
		return nil, errors.New(syntax.FindString(err.Error()+": ") + "not readable as YAML or JSON")
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("line 1: credentials: missing")
	}
	r := reader{env: env}
	var list []Credential
	r.fields(doc.Content[0], map[string]func(string, *yaml.Node){"credentials": func(field string, n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			r.fault(n, field, "must be a list")
			return
		}
		for _, item := range n.Content {
			if c, ok := r.credential(item); ok {
				if slices.ContainsFunc(list, func(o Credential) bool { return o.Name == c.Name }) {
					r.fault(item, "name", "there are two of this name")
				}
				list = append(list, c)
			}
		}
	}})
	if err := errors.Join(r.faults...); err != nil {
		return nil, err
	}
	return list, nil
}

// syntax is all that is shown of the decoder's words: they may quote a secret.
var syntax = regexp.MustCompile(`line \d+: `)

type reader struct {
	env    func(string) (string, bool)
	faults []error
}

func (r *reader) fault(n *yaml.Node, field, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("line %d: %s: %s", n.Line, field, fmt.Sprintf(format, args...)))
}

// fields hands every field of a mapping to its reader and refuses all others.
func (r *reader) fields(n *yaml.Node, known map[string]func(field string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "here", "fields are expected")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := carriers.Clean(k.Value, 40)
		switch f := known[k.Value]; {
		case f == nil:
			r.fault(k, name, "no such field")
		case seen[k.Value]:
			r.fault(k, name, "stands twice")
		default:
			f(name, v)
		}
		seen[k.Value] = true
	}
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// text reads one value; ${NAME} in it comes from the environment.
func (r *reader) text(into *string) func(string, *yaml.Node) {
	return func(field string, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			r.fault(n, field, "must be a text")
			return
		}
		*into = variable.ReplaceAllStringFunc(n.Value, func(v string) string {
			name := v[2 : len(v)-1]
			value, ok := r.env(name)
			if !ok || value == "" {
				r.fault(n, field, "the environment has no %s", name)
			}
			return value
		})
		if len(*into) > 4096 || strings.ContainsAny(*into, "\r\n\x00") {
			r.fault(n, field, "too long, or more than one line")
		}
	}
}

// texts reads a list of values, or one.
func (r *reader) texts(into *[]string) func(string, *yaml.Node) {
	return func(field string, n *yaml.Node) {
		items := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			items = n.Content
		}
		for _, item := range items {
			var s string
			r.text(&s)(field, item)
			*into = append(*into, s)
		}
	}
}

var goodName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,59}$`)

// credential reads one, and says whether it is whole.
func (r *reader) credential(n *yaml.Node) (Credential, bool) {
	before := len(r.faults)
	var c Credential
	var key, secret string
	var budget []string
	lines := map[string]*yaml.Node{}
	at := func(f func(string, *yaml.Node)) func(string, *yaml.Node) {
		return func(field string, v *yaml.Node) { lines[field] = v; f(field, v) }
	}
	r.fields(n, map[string]func(string, *yaml.Node){
		"name": at(r.text(&c.Name)), "carrier": at(r.text(&c.Carrier)), "api": at(r.text(&c.API)),
		"key": at(r.text(&key)), "secret": at(r.text(&secret)), "account": at(r.text(&c.Number)), "service": at(r.text(&c.Service)),
		"base_url": at(r.text(&c.BaseURL)), "budget": at(r.texts(&budget)), "for": at(r.texts(&c.Of)), "webhook_email": at(r.text(&c.Hook.Email)),
		"contact_name": at(r.text(&c.Contact.Name)), "contact_phone": at(r.text(&c.Contact.Phone)), "client_ip": at(r.text(&c.Contact.IP)),
	})
	if len(r.faults) > before {
		return c, false
	}
	fault := func(field, format string, args ...any) {
		where := lines[field]
		if where == nil {
			where = n
		}
		r.fault(where, field, format, args...)
	}
	c.Key, c.Secret = carriers.Secret(key), carriers.Secret(secret)
	if !goodName.MatchString(c.Name) {
		fault("name", "must be small letters, digits, dots and dashes, at most 60")
	}
	if key == "" {
		fault("key", "missing")
	}
	adapter, err := all.Adapters().Find(c.Carrier)
	asker, ok := adapter.(carriers.Asker)
	switch {
	case err != nil:
		fault("carrier", "%v", err)
		return c, false
	case !ok:
		fault("carrier", "%s cannot be asked", c.Carrier)
		return c, false
	}
	apis := asker.APIs()
	i := 0
	if c.API != "" {
		if i = slices.IndexFunc(apis, func(a carriers.API) bool { return a.Name == c.API }); i < 0 {
			names := make([]string, len(apis))
			for i, a := range apis {
				names[i] = a.Name
			}
			fault("api", "%s has only %s", c.Carrier, strings.Join(names, ", "))
			return c, false
		}
	}
	c.adapter, c.api = adapter, apis[i]
	c.API, c.Batch, c.Windows = c.api.Name, c.api.Batch, c.api.Budget
	c.Subscribes, c.Backfills, c.SubscribeBatch = c.api.Subscribe != nil, c.api.Backfills, c.api.SubscribeBatch
	if c.api.Token != nil && secret == "" {
		fault("secret", "missing")
	}
	if c.BaseURL == "" {
		c.BaseURL = c.api.BaseURL
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	if err := checkBase(c.BaseURL); err != nil {
		fault("base_url", "%v", err)
	}
	if lines["budget"] != nil {
		c.Windows = nil
		for _, s := range budget {
			w, err := carriers.ParseWindow(s)
			if err != nil {
				fault("budget", "%v", err)
			}
			c.Windows = append(c.Windows, w)
		}
		if len(c.Windows) == 0 || len(c.Windows) > 8 {
			fault("budget", "one to eight windows are expected")
		}
	}
	if aggregates := carriers.Can(adapter, carriers.Aggregates); !aggregates && len(c.Of) > 0 {
		fault("for", "%s speaks for itself only", c.Carrier)
	}
	for _, of := range c.Of {
		if of == "" || of == c.Carrier {
			fault("for", "%q is no carrier of parcels", carriers.Clean(of, 40))
		}
	}
	return c, len(r.faults) == before
}

// checkBase demands TLS: requests carry secrets. Only this machine itself is
// trusted without.
func checkBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be a web address without user, query and fragment")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && !(u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())) {
		return errors.New("must begin with https://")
	}
	return nil
}
