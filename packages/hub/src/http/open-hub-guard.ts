import { problem, type Problem } from '@millrace/node'
import type { IncomingHttpHeaders } from 'node:http'
import type { HubSettings } from '../hub-settings.ts'

const LOOPBACK_NAMES = new Set(['localhost', '[::1]', '::1'])

/** Whether a name or address stands for this machine alone. */
export function isLoopbackName(name: string): boolean {
  return LOOPBACK_NAMES.has(name.toLowerCase()) || /^127(\.\d{1,3}){3}$/.test(name)
}

/** Why an open hub must not listen where it is told to. */
export function openHubFault({ host, insecure }: Pick<HubSettings, 'host' | 'insecure'>): string | undefined {
  if (insecure || isLoopbackName(host)) return undefined
  return (
    `An open hub does not listen on ${host}: without keys everybody who reaches it can read and publish everything. ` +
    'Use --host 127.0.0.1, or --insecure if that is what you want.'
  )
}

/** Whether `Host`, which may have a port (RFC 9110, 7.2), stands for this machine alone. */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && isLoopbackName(host.replace(/:\d*$/, ''))
}

/** Whether a peer's address is of this machine. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && isLoopbackName(address.replace(/^::ffff:/, ''))
}

/**
 * What keeps an open hub from serving a request. A page of some other site must neither reach it by a name that it
 * makes point here (DNS rebinding: `Host` tells), nor by a request of its own (`Origin` tells).
 */
export function originFault(headers: IncomingHttpHeaders, settings: HubSettings): Problem | undefined {
  const { host, origin } = headers
  if (host !== undefined && !settings.insecure && !isLoopbackHost(host)) {
    return problem(
      403,
      `Host is ${quoted(host)}; an open hub answers only to localhost, 127.0.0.1 and [::1]. Have the proxy send "Host: localhost", or start the hub with --insecure to answer to every name.`,
    )
  }
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return undefined
  return problem(
    403,
    `Requests from pages of ${quoted(origin)} are not allowed. Let a proxy, or your development server, pass /events on under the page's own origin.`,
  )
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 100))
}
