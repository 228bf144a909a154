<?php
// usage: php publish.php TOPIC JSON      prints the id of the event; needs the curl extension

/** Stores one event and returns its id. Throws a RuntimeException with the hub's own words when it refuses. */
function publish(string $topic, mixed $data, int $attempts = 6): string
{
    $url = (getenv('MILLRACE_URL') ?: 'http://127.0.0.1:3000') . '/events';
    // The same key on every attempt: what was stored although its answer got lost is not stored twice.
    $event = ['topic' => $topic, 'data' => $data, 'dedupeKey' => bin2hex(random_bytes(16))];
    $why = '';
    for ($attempt = 0; $attempt < $attempts; $attempt++) {
        $later = null;
        $request = curl_init($url);
        curl_setopt_array($request, [
            CURLOPT_POSTFIELDS => json_encode($event, JSON_THROW_ON_ERROR),
            CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 10,
            CURLOPT_HEADERFUNCTION => function ($request, string $header) use (&$later): int {
                if (preg_match('/^retry-after: (\d+)/i', $header, $match)) {
                    $later = (int) $match[1];
                }
                return strlen($header);
            },
        ]);
        $answer = curl_exec($request);
        // False when nobody is there, and when the answer was cut; what is no JSON is a proxy's page.
        $status = $answer === false ? 0 : curl_getinfo($request, CURLINFO_RESPONSE_CODE);
        $said = $answer === false ? null : json_decode($answer, true);
        if ($status === 200 && isset($said['ids'][0])) {
            return $said['ids'][0];
        }
        $why = $said['detail'] ?? ($status === 0 ? "No answer from $url: " . curl_error($request) : "$url answered $status");
        // A 429 passes within a minute, or it is a bound that no waiting mends.
        if ($status >= 300 && $status < 500 && !($status === 429 && $later !== null && $later < 60)) {
            break;
        }
        if ($attempt + 1 < $attempts) {
            sleep(min($later ?? 2 ** $attempt, 60));
        }
    }
    throw new RuntimeException($why);
}

try {
    echo publish($argv[1], json_decode($argv[2], flags: JSON_THROW_ON_ERROR)), "\n";
} catch (RuntimeException $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}
