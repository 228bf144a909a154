<?php
// usage: php publish.php TOPIC JSON      prints the id of the event; needs the curl extension

/** Stores one event and returns its id. Throws a RuntimeException with the hub's own words when it refuses. */
function publish(string $topic, mixed $data, int $attempts = 6): string
{
    $url = (getenv('MILLRACE_URL') ?: 'http://127.0.0.1:3000') . '/events';
    // The same key on every attempt: what was stored although its answer got lost is not stored twice.
    $event = ['topic' => $topic, 'data' => $data, 'dedupeKey' => bin2hex(random_bytes(16))];
    for ($attempt = 0; $attempt < $attempts; $attempt++) {
        $wait = min(2 ** $attempt, 30);
        $request = curl_init($url);
        curl_setopt_array($request, [
            CURLOPT_POSTFIELDS => json_encode($event, JSON_THROW_ON_ERROR),
            CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 10,
            CURLOPT_HEADERFUNCTION => function ($request, string $header) use (&$wait): int {
                if (preg_match('/^retry-after: (\d+)/i', $header, $match)) {
                    $wait = (int) $match[1];
                }
                return strlen($header);
            },
        ]);
        $answer = curl_exec($request);
        $status = curl_getinfo($request, CURLINFO_RESPONSE_CODE);
        if ($status === 200) {
            return json_decode($answer, true)['ids'][0];
        }
        // 0: nobody there, or cut.
        if (!in_array($status, [0, 429, 503], true)) {
            throw new RuntimeException(json_decode($answer, true)['detail'] ?? "$url answered $status");
        }
        if ($attempt + 1 < $attempts) {
            sleep($wait);
        }
    }
    throw new RuntimeException("No answer from $url");
}

try {
    echo publish($argv[1], json_decode($argv[2], flags: JSON_THROW_ON_ERROR)), "\n";
} catch (RuntimeException $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}
