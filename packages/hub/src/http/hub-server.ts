import { createHub, sendProblem, type NodeHub } from '@millrace/node'
import { LogError, type Backend } from '@millrace/server'
import { fastify, type FastifyInstance } from 'fastify'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { startDemo, type Demo } from '../demo/demo.ts'
import { limitsOf, type HubSettings } from '../hub-settings.ts'
import { UsageError } from '../command/usage-error.ts'
import { ConnectionLog, type LineLog } from '../observe/connection-log.ts'
import { HubCounts } from '../observe/hub-counts.ts'
import { HubMetrics } from '../observe/hub-metrics.ts'
import { observers } from '../observe/observers.ts'
import { openBackend } from '../open-backend.ts'
import { resolveHubSettings } from '../settings/resolve-hub-settings.ts'
import { addAdminRoutes } from './admin-routes.ts'
import { answerClientError, answerConnect } from './client-error.ts'
import { ConnectionTurns } from './connection-turns.ts'
import { addDemoRoutes } from './demo-routes.ts'
import { addMetricsRoute } from './metrics-route.ts'
import { addOpenApiRoute } from './openapi-route.ts'
import { fixedLimits } from './fixed-limits.ts'
import { addHealthRoutes } from './health-routes.ts'
import { originFault } from './open-hub-guard.ts'
import { answerErrors, answerTargetError, type OnError } from './problem-answers.ts'
import { addPublishRoute } from './publish-route.ts'
import { headFault, resolveTarget } from './request-head.ts'
import { addTopicsRoute } from './topics-route.ts'
import { addUnbuiltRoutes } from './unbuilt-routes.ts'

const TIMEOUT_CHECK_MS = 1_000
/** How long answers that are on their way may take when the hub has closed, and how often that is looked at. Milliseconds. */
const ANSWER_GRACE_MS = 1_000
const GRACE_STEP_MS = 20

/** A hub that listens. */
export interface HubServer {
  readonly url: string
  readonly hub: NodeHub
  /** Stops accepting, says farewell to all streams, and closes the log. May be called twice. */
  close(options?: { drainMs?: number }): Promise<void>
}

export interface HubServerOptions {
  /** Is told of faults of the hub itself, which clients only see as a 500 or an end. @default nobody is told */
  readonly onError?: OnError
  /** Where each stream's life is written down. @default nowhere */
  readonly log?: LineLog
  /** A request must be here whole by then, unless it publishes by lines. Milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number
  /** A publisher by lines that finishes none for this long is ended. Milliseconds. @default 30000 */
  readonly lineTimeoutMs?: number
}

/**
 * Starts a hub and resolves when it listens and follows its log. A setting that is left out has its default, of which
 * `log` makes `./millrace.db`.
 *
 * @throws UsageError (by its `name`) when settings are wrong, when it must not or cannot listen there, or cannot use its log
 */
export async function startHubServer(
  given: Partial<HubSettings> = {},
  options: HubServerOptions = {},
): Promise<HubServer> {
  const settings = resolveHubSettings(given)
  const { onError = () => undefined, log } = options
  const { requestTimeoutMs, lineTimeoutMs } = { ...fixedLimits, ...options }
  await tryAddress(settings)
  const backend = openBackend(settings)
  const counts = new HubCounts()
  const metrics = new HubMetrics(() => hub, counts)
  let isStarted = false
  const unreadable = Promise.withResolvers<never>()
  const hub: NodeHub = createHub({
    backend,
    ...limitsOf(settings),
    onError(error, context) {
      if (isStarted) onError(error, context)
      else unreadable.reject(error)
    },
    observer: observers([counts, metrics, ...(log ? [new ConnectionLog(log)] : [])]),
  })
  const times = { requestTimeoutMs, lineTimeoutMs }
  const closing = new AbortController()
  const parts = { closing: closing.signal, hub, backend, counts, metrics, settings, onError, times }
  hub.ready().then(
    () => (isStarted = true),
    () => undefined,
  )
  const { app, server, demo } = await startListening(parts, unreadable.promise)
  let ended: Promise<void> | undefined
  return {
    url: urlOf(server, settings.host),
    hub,
    close: (ending) => (ended ??= close(ending ?? {})),
  }

  async function close(ending: { drainMs?: number }): Promise<void> {
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    demo?.close()
    closing.abort()
    await hub.close(ending)
    await Promise.race([closed, untilAnswered(server)])
    server.closeAllConnections()
    await closed
    await app.close()
  }
}

/** Lets go of connections as their last answers are sent: those of polls that waited, and of publications. Bounded. */
async function untilAnswered(server: Server): Promise<void> {
  for (let leftMs = ANSWER_GRACE_MS; leftMs > 0; leftMs -= GRACE_STEP_MS) {
    server.closeIdleConnections()
    await delay(GRACE_STEP_MS, undefined, { ref: false })
  }
}

/** What the routes are made of. */
interface Parts {
  readonly closing: AbortSignal
  readonly hub: NodeHub
  readonly backend: Backend
  readonly counts: HubCounts
  readonly metrics: HubMetrics
  readonly settings: HubSettings
  readonly onError: OnError
  readonly times: Required<Pick<HubServerOptions, 'requestTimeoutMs' | 'lineTimeoutMs'>>
}

/** A hub that cannot read its log, or listen, lets go of it. @throws UsageError */
async function startListening(parts: Parts, unreadable: Promise<never>): Promise<BuiltServer> {
  try {
    await Promise.race([parts.hub.ready(), unreadable]).catch((error: unknown) => {
      throw error instanceof LogError ? new UsageError(error.message) : error
    })
    const built = await buildServer(parts)
    await listen(built.server, parts.settings)
    return built
  } catch (error) {
    await parts.hub.close({ drainMs: 0 })
    throw error
  }
}

interface BuiltServer {
  readonly app: FastifyInstance
  readonly server: Server
  readonly demo: Demo | undefined
}

async function buildServer(parts: Parts): Promise<BuiltServer> {
  const { closing, hub, backend, counts, metrics, settings, onError, times } = parts
  const paced = new WeakSet()
  const maxBodyBytes = Math.max(fixedLimits.maxBodyBytes, 2 * hub.limits.maxEventBytes)
  const handleStream = hub.handler({ onError })
  const turns = new ConnectionTurns()
  let server: Server | undefined
  const app = fastify({
    bodyLimit: maxBodyBytes,
    forceCloseConnections: false,
    frameworkErrors: answerTargetError,
    clientErrorHandler: (error, socket) => answerClientError(turns, paced, error, socket),
    routerOptions: { ignoreTrailingSlash: false },
    serverFactory: (handleRest) =>
      (server = createHttpServer(settings, times.requestTimeoutMs, turns, handleStream, handleRest)),
  })
  answerErrors(app, onError, maxBodyBytes)
  addHealthRoutes(app, hub)
  addPublishRoute(app, hub, { onError, counts, lineTimeoutMs: times.lineTimeoutMs, closing, paced })
  addAdminRoutes(app, hub, backend, counts)
  addTopicsRoute(app, handleStream)
  addMetricsRoute(app, metrics)
  addOpenApiRoute(app)
  addUnbuiltRoutes(app, { hasPage: settings.demo })
  const demo = settings.demo ? startDemo(hub) : undefined
  if (demo) addDemoRoutes(app, demo)
  await app.ready()
  if (!server) throw new Error('fastify made no server')
  return { app, server, demo }
}

/** Streams do not pass through the framework: nothing of it is held for as long as they last. */
function createHttpServer(
  settings: HubSettings,
  requestTimeoutMs: number,
  turns: ConnectionTurns,
  handleStream: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  handleRest: RequestListener,
): Server {
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    resolveTarget(request)
    const fault = headFault(request) ?? originFault(request.headers, settings)
    if (fault) sendProblem(response, fault)
    else if (isStreamRequest(request)) void turns.openStream(request, response, handleStream(request, response))
    else handleRest(request, response)
  }
  const inTurn: RequestListener = (request, response) => turns.serve(request, response, () => serve(request, response))
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: fixedLimits.idleTimeoutMs,
      headersTimeout: Math.min(fixedLimits.headTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      // Checked by `headFault`, which says what is wrong.
      requireHostHeader: false,
    },
    inTurn,
  )
  // What Node would answer by itself, and without a word: `headFault` has one.
  server.on('checkExpectation', inTurn)
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => answerConnect(turns, socket))
  return server
}

function isStreamRequest({ method, url = '' }: IncomingMessage): boolean {
  const [path] = url.split('?', 1)
  return (method === 'GET' && path === '/events') || (method === 'POST' && path === '/events/stream')
}

/** Before the log is opened: a hub that cannot listen leaves no new file behind. @throws UsageError */
async function tryAddress(settings: HubSettings): Promise<void> {
  const server = createTcpServer((socket) => socket.destroy())
  await listen(server, settings)
  await new Promise((resolve) => server.close(resolve))
}

function listen(server: TcpServer, { host, port }: HubSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
    server.listen({ host, port, backlog: 4_096 }, resolve)
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new UsageError(`Port ${port} on ${host} is in use. Take another with --port, or --port 0 for a free one.`)
  }
  if (error.code === 'EACCES')
    return new UsageError(`Port ${port} needs more rights than this user has. Take one above 1023.`)
  if (error.code === 'ENOTFOUND' || error.code === 'EADDRNOTAVAIL') {
    return new UsageError(`${host} is not an address of this machine. Use --host 127.0.0.1.`)
  }
  return error
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
