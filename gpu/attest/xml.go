package attest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Limits of the XML that is read; genuine manifests have 21 KB, 3 levels of elements outside of the signature and 6 inside.
const (
	MaxManifest = 1 << 20 // the most that a manifest may have, in bytes

	maxDepth      = 12
	maxAttributes = 512
)

// node is an element, or a text where name is empty.
type node struct {
	prefix, local, space string    // space is the namespace that the prefix stands for
	attrs                []attr    // in the order of the document
	scope                []binding // all namespaces in scope, by prefix
	kids                 []*node   // elements and texts
	text                 string
}

type attr struct{ prefix, local, space, value string }

type binding struct{ prefix, space string }

// parser reads the part of XML 1.0 that signed manifests need: elements, attributes, namespaces and text in ASCII. What else
// there is in XML is refused, because it could make a signature say one thing to a verifier and another to a reader:
// document types, entities, references, comments, processing instructions, CDATA, carriage returns, control characters in
// values, xml: attributes.
type parser struct {
	in string
	at int
}

// parseXML reads one element, and white space around it. Errors wrap ErrManifest.
func parseXML(b []byte) (*node, error) {
	if len(b) > MaxManifest {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrManifest, len(b), MaxManifest)
	}
	for i, c := range b {
		if c != '\n' && c != '\t' && (c < ' ' || c > '~') {
			return nil, fmt.Errorf("%w: byte %#02x at %d, want ASCII without control characters", ErrManifest, c, i)
		}
	}
	p := &parser{in: string(b)}
	for _, decl := range []string{`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0"?>`, `<?xml version='1.0' encoding='UTF-8'?>`} {
		if p.take(decl) {
			break
		}
	}
	p.space()
	root, err := p.element(nil, 1)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at != len(p.in) {
		return nil, p.fault("text after the document")
	}
	return root, nil
}

func (p *parser) fault(format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", ErrManifest, p.at, fmt.Sprintf(format, args...))
}

// take moves past s if it is next.
func (p *parser) take(s string) bool {
	if strings.HasPrefix(p.in[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

// space moves past white space and reports whether there was any.
func (p *parser) space() bool {
	from := p.at
	for p.at < len(p.in) && strings.IndexByte(" \t\n", p.in[p.at]) >= 0 {
		p.at++
	}
	return p.at > from
}

// name reads a name with at most one colon.
func (p *parser) name() (prefix, local string, err error) {
	from := p.at
	for p.at < len(p.in) && (isNameStart(p.in[p.at]) || p.at > from && strings.IndexByte("-.:0123456789", p.in[p.at]) >= 0) {
		p.at++
	}
	full := p.in[from:p.at]
	prefix, local, colon := strings.Cut(full, ":")
	if !colon {
		prefix, local = "", full
	}
	if local == "" || colon && prefix == "" || !isNameStart(local[0]) || strings.Contains(local, ":") {
		return "", "", p.fault("%q is no name", full)
	}
	return prefix, local, nil
}

func isNameStart(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// value reads a quoted value. Its bytes are its meaning: no references, no white space that a parser would change.
func (p *parser) value() (string, error) {
	quote := `"`
	if !p.take(quote) {
		quote = `'`
		if !p.take(quote) {
			return "", p.fault("want a quoted value")
		}
	}
	v, _, ok := strings.Cut(p.in[p.at:], quote)
	if !ok || strings.ContainsAny(v, "<&\n\t") {
		return "", p.fault("value does not end, or has '<', '&', a tab or a line break")
	}
	p.at += len(v) + 1
	return v, nil
}

func (p *parser) element(scope []binding, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, p.fault("more than %d levels", maxDepth)
	}
	if !p.take("<") {
		return nil, p.fault("want an element")
	}
	n := &node{}
	var err error
	if n.prefix, n.local, err = p.name(); err != nil {
		return nil, err
	}
	own, empty, err := p.attributes(n)
	if err != nil {
		return nil, err
	}
	if err := p.resolve(n, own, scope); err != nil {
		return nil, err
	}
	if empty {
		return n, nil
	}
	for !strings.HasPrefix(p.in[p.at:], "</") {
		kid, err := p.content(n.scope, depth)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
	}
	p.at += len("</")
	prefix, local, err := p.name()
	if err != nil {
		return nil, err
	}
	if p.space(); prefix != n.prefix || local != n.local || !p.take(">") {
		return nil, p.fault("element %q ends as %q", n.local, local)
	}
	return n, nil
}

// content reads one child: an element or a text.
func (p *parser) content(scope []binding, depth int) (*node, error) {
	text, _, ok := strings.Cut(p.in[p.at:], "<")
	switch {
	case !ok:
		return nil, p.fault("document ends inside an element")
	case text == "":
		return p.element(scope, depth+1)
	case strings.Contains(text, "&") || strings.Contains(text, "]]>"):
		return nil, p.fault("text has '&' or ']]>'")
	}
	p.at += len(text)
	return &node{text: text}, nil
}

// attributes reads attributes and the end of the tag; namespace declarations are returned apart.
func (p *parser) attributes(n *node) (own []binding, empty bool, err error) {
	for {
		spaced := p.space()
		if p.take("/>") {
			return own, true, nil
		}
		if p.take(">") {
			return own, false, nil
		}
		if !spaced || len(n.attrs)+len(own) == maxAttributes {
			return nil, false, p.fault("element %q: want white space, the end, or no more than %d attributes", n.local, maxAttributes)
		}
		prefix, local, err := p.name()
		if err != nil {
			return nil, false, err
		}
		if p.space(); !p.take("=") {
			return nil, false, p.fault("attribute %q has no value", local)
		}
		p.space()
		v, err := p.value()
		if err != nil {
			return nil, false, err
		}
		switch {
		case prefix == "" && local == "xmlns":
			own = append(own, binding{"", v})
		case prefix == "xmlns":
			own = append(own, binding{local, v})
		default:
			n.attrs = append(n.attrs, attr{prefix: prefix, local: local, value: v})
		}
	}
}

// resolve gives an element its scope and every prefix its namespace.
func (p *parser) resolve(n *node, own, scope []binding) error {
	n.scope = slices.Clone(scope)
	for i, b := range own {
		if slices.ContainsFunc(own[:i], func(o binding) bool { return o.prefix == b.prefix }) {
			return p.fault("prefix %q is declared twice", b.prefix)
		}
		if strings.HasPrefix(b.prefix, "xml") || !strings.Contains(b.space, ":") { // no relative namespaces: C14N, 1.3
			return p.fault("namespace %q of prefix %q is no absolute URI, or the prefix is reserved", b.space, b.prefix)
		}
		n.scope = slices.DeleteFunc(n.scope, func(o binding) bool { return o.prefix == b.prefix })
		n.scope = append(n.scope, b)
	}
	slices.SortFunc(n.scope, func(a, b binding) int { return cmp.Compare(a.prefix, b.prefix) })
	var ok bool
	if n.space, ok = lookup(n.scope, n.prefix); !ok && n.prefix != "" {
		return p.fault("prefix %q is not declared", n.prefix)
	}
	for i := range n.attrs {
		a := &n.attrs[i]
		if a.prefix != "" { // an attribute without a prefix is in no namespace
			if a.space, ok = lookup(n.scope, a.prefix); !ok {
				return p.fault("prefix %q is not declared", a.prefix)
			}
		}
		if slices.ContainsFunc(n.attrs[:i], func(o attr) bool { return o.space == a.space && o.local == a.local }) {
			return p.fault("attribute %q comes twice", a.local)
		}
	}
	return nil
}

func lookup(scope []binding, prefix string) (string, bool) {
	for _, b := range scope {
		if b.prefix == prefix {
			return b.space, true
		}
	}
	return "", false
}

// is reports whether n is an element of that name.
func (n *node) is(space, local string) bool {
	return n.local == local && n.space == space && local != ""
}

// attr returns the value of an attribute, and false if there is none.
func (n *node) attr(space, local string) (string, bool) {
	for _, a := range n.attrs {
		if a.space == space && a.local == local {
			return a.value, true
		}
	}
	return "", false
}

// elements returns the children that are elements, and false if there is text between them that is not white space.
func (n *node) elements() ([]*node, bool) {
	var out []*node
	for _, k := range n.kids {
		switch {
		case k.local != "":
			out = append(out, k)
		case strings.Trim(k.text, " \t\n") != "":
			return nil, false
		}
	}
	return out, true
}

// content returns the text of an element that has nothing but text.
func (n *node) content() (string, bool) {
	var b strings.Builder
	for _, k := range n.kids {
		if k.local != "" {
			return "", false
		}
		b.WriteString(k.text)
	}
	return b.String(), true
}
