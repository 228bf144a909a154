// usage: go run publish.go TOPIC JSON      prints the id of the event; nothing but the standard library is needed
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

var client = &http.Client{Timeout: 10 * time.Second}

// Publish stores one event and returns its id. The error has the hub's own words when it refuses.
func Publish(url, topic string, data any) (string, error) {
	// The same key on every attempt: what was stored although its answer got lost is not stored twice.
	body, err := json.Marshal(map[string]any{"topic": topic, "data": data, "dedupeKey": rand.Text()})
	if err != nil {
		return "", err
	}
	for wait := time.Second; wait < time.Minute; wait *= 2 {
		response, err := client.Post(url+"/events", "application/json", bytes.NewReader(body))
		if err != nil { // nobody there, or cut
			time.Sleep(wait)
			continue
		}
		var answer struct {
			IDs    []string `json:"ids"`
			Detail string   `json:"detail"`
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		response.Body.Close()
		switch {
		case response.StatusCode == 429 || response.StatusCode == 503:
			pause := wait
			if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
				pause = time.Duration(seconds) * time.Second
			}
			time.Sleep(pause)
		case response.StatusCode == 200 && len(answer.IDs) == 1:
			return answer.IDs[0], nil
		case answer.Detail != "":
			return "", errors.New(answer.Detail)
		default:
			return "", fmt.Errorf("%s answered %s (%v)", url, response.Status, err)
		}
	}
	return "", errors.New("no answer from " + url)
}

func main() {
	url := os.Getenv("MILLRACE_URL")
	if url == "" {
		url = "http://127.0.0.1:3000"
	}
	id, err := Publish(url, os.Args[1], json.RawMessage(os.Args[2]))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(id)
}
