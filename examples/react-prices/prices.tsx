import { useEvent, useLatest, useStream, type AnyStreamHandle, type StreamHandle } from '@millrace/client/react'
import { useState, type ReactNode } from 'react'

type Events = { tick: { price: number }; alert: { text: string } }

export function Prices({ shares }: { shares: readonly string[] }): ReactNode {
  const stream = useStream<Events>('/events', { topics: ['stocks.*', 'alerts'] })
  const [alerts, setAlerts] = useState<readonly string[]>([])
  useEvent(stream, 'alert', ({ data }) => setAlerts((earlier) => [data.text, ...earlier].slice(0, 5)))
  return (
    <>
      <Connection stream={stream} />
      <table>
        <tbody>
          {shares.map((share) => (
            <Price key={share} stream={stream} share={share} />
          ))}
        </tbody>
      </table>
      <ul>
        {alerts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  )
}

function Price({ stream, share }: { stream: StreamHandle<Events>; share: string }): ReactNode {
  const tick = useLatest(stream, 'tick', { topic: `stocks.${share}` })
  return (
    <tr>
      <th>{share}</th>
      <td>{tick?.data.price.toFixed(2) ?? '–'}</td>
    </tr>
  )
}

function Connection({ stream: { status, restart } }: { stream: AnyStreamHandle }): ReactNode {
  if (status.name === 'open') return <p>Live</p>
  if (status.name !== 'failed') return <p>Connecting …</p>
  return (
    <p>
      Not connected: {status.error.message} <button onClick={restart}>Try again</button>
    </p>
  )
}
