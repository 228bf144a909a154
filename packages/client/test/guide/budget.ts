import { connect, retryPolicy } from '@millrace/client'

// Ten attempts, or five minutes, then the status is `failed`.
connect('/events', { maxAttempts: 10, giveUpAfterMs: 300_000 })

// Or another rule: behind a gateway that answers 404 while it deploys, 404 passes too.
const standard = retryPolicy({ maxBackoffMs: 30_000, maxAttempts: false, giveUpAfterMs: false }, Math.random)
connect('/events', {
  retryPolicy: (error, state) =>
    error.status === 404 ? { delayMs: 5_000 + Math.random() * 5_000, soonestMs: 1_000 } : standard(error, state),
})
