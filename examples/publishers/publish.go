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

const attempts = 6

var client = &http.Client{Timeout: 10 * time.Second}

// Publish stores one event and returns its id. The error has the hub's own words when it refuses.
func Publish(url, topic string, data any) (string, error) {
	// The same key on every attempt: what was stored although its answer got lost is not stored twice.
	body, err := json.Marshal(map[string]any{"topic": topic, "data": data, "dedupeKey": rand.Text()})
	if err != nil {
		return "", err
	}
	var why error
	for attempt, wait := 1, time.Second; ; attempt, wait = attempt+1, 2*wait {
		id, pause, err := post(url+"/events", body)
		if err == nil {
			return id, nil
		}
		why = err
		if pause == never || attempt == attempts {
			return "", why
		}
		if pause == 0 {
			pause = wait
		}
		time.Sleep(pause)
	}
}

// never is the pause after what would be refused each time.
const never = time.Duration(-1)

// post makes one attempt. It answers how long the hub asks to wait; 0 when it does not say.
func post(url string, body []byte) (id string, pause time.Duration, err error) {
	response, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil { // nobody there, or cut
		return "", 0, err
	}
	defer response.Body.Close()
	var answer struct {
		IDs    []string `json:"ids"`
		Detail string   `json:"detail"`
	}
	// It fails for a body that was cut, and for a proxy's page.
	decoding := json.NewDecoder(response.Body).Decode(&answer)
	if response.StatusCode == 200 && decoding == nil && len(answer.IDs) == 1 {
		return answer.IDs[0], 0, nil
	}
	err = errors.New(answer.Detail)
	if answer.Detail == "" {
		err = fmt.Errorf("%s answered %s (%v)", url, response.Status, decoding)
	}
	seconds, later := strconv.Atoi(response.Header.Get("Retry-After"))
	switch status := response.StatusCode; {
	case status == 200 || status >= 500 || status == 429 && later == nil && seconds < 60:
		return "", time.Duration(min(seconds, 60)) * time.Second, err
	default: // refused; a 429 that does not pass within a minute is a bound that no waiting mends
		return "", never, err
	}
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
