/** What `millrace serve` runs with. */
export interface HubSettings {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** Where events are kept: in memory, or in the file after `sqlite:`. */
  readonly log: 'memory:' | `sqlite:${string}`
  /** Serve the demo at `/`. */
  readonly demo: boolean
  /** Listen beyond loopback although everybody may then read and publish everything. */
  readonly insecure: boolean
}

export const defaultHubSettings: HubSettings = Object.freeze({
  host: '127.0.0.1',
  port: 3000,
  log: 'memory:',
  demo: false,
  insecure: false,
})
