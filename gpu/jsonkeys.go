package gpu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// decodeOnce decodes JSON that two readers cannot take differently. The decoder of Go takes "Devices" for "devices" and merges
// what stands under one key twice, where others keep the first or the last. Somebody who signs such a text could show one
// inventory to us and another to an auditor. So a key is lower-case letters, digits and underscores, and once in its object,
// whether it is known or not.
func decodeOnce(b []byte, to any) error {
	if err := json.Unmarshal(b, to); err != nil { // it also bounds the nesting
		return err
	}
	type object struct {
		keys map[string]bool
		key  bool // whether the next token is a key
		list bool // an array, which has none
	}
	var open []object
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		top := len(open) - 1
		if text, isText := token.(string); isText && top >= 0 && open[top].key {
			switch o := &open[top]; {
			case strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || text == "":
				return fmt.Errorf("key %+.70q is not lower-case letters, digits and underscores", text)
			case o.keys[text]:
				return fmt.Errorf("key %+.70q is there twice", text)
			case o.keys == nil:
				o.keys = map[string]bool{text: true}
			default:
				o.keys[text] = true
			}
			open[top].key = false
			continue
		}
		delim, _ := token.(json.Delim)
		if delim == ']' || delim == '}' {
			open, top = open[:top], top-1
		}
		if top >= 0 { // a value ended, or begins and its key is past
			open[top].key = !open[top].list
		}
		if delim == '[' || delim == '{' {
			open = append(open, object{key: delim == '{', list: delim == '['})
		}
	}
}
