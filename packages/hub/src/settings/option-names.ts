const ENVIRONMENT_PREFIX = 'MILLRACE_'
/** What Kubernetes sets in every container beside a service named `millrace`; `MILLRACE_PORT` is one of them. */
const SERVICE_LINK = /^MILLRACE_(?:SERVICE_(?:HOST|PORT)|PORT_\d+_(?:TCP|UDP|SCTP))/

/** `heartbeatMs` is `--heartbeat-ms`. */
export function flagOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** `heartbeatMs` is `MILLRACE_HEARTBEAT_MS`. */
export function variableOf(name: string): string {
  return ENVIRONMENT_PREFIX + flagOf(name).toUpperCase().replaceAll('-', '_')
}

/** The variables that look like options. */
export function optionVariables(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.keys(environment).filter((name) => name.startsWith(ENVIRONMENT_PREFIX) && !SERVICE_LINK.test(name))
}
