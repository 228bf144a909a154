import { problem, problemBody, PROBLEM_TYPE, type Problem } from '@millrace/node'
import { HubError, LogError, type HubErrorCode } from '@millrace/server'
import type { PublishFailure } from '../observe/hub-counts.ts'
import { answerUnread } from './answer-unread.ts'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** A fault of a request, thrown by a route. */
export class RequestFault extends Error {
  override readonly name = 'RequestFault'
  readonly problem: Problem
  constructor(fault: Problem) {
    super(fault.detail)
    this.problem = fault
  }
}

/** Is told of what should not happen; `context` says at what. Must not throw. */
export type OnError = (error: unknown, context: string) => void

export const RETRY_AFTER: Readonly<Record<string, string>> = { 'Retry-After': '1' }
/** For a bound that only an operator can mend: a state key is never forgotten. */
const LATE_RETRY_AFTER: Readonly<Record<string, string>> = { 'Retry-After': '60' }
const statusOf: Readonly<Record<HubErrorCode, number>> = {
  invalid_option: 500,
  invalid_event: 400,
  invalid_request: 400,
  too_large: 413,
  too_many: 429,
  overloaded: 429,
  unavailable: 503,
  closed: 503,
}

const failureOf: Readonly<Record<HubErrorCode, PublishFailure>> = {
  invalid_option: 'fault',
  invalid_event: 'invalid',
  invalid_request: 'invalid',
  too_large: 'too_large',
  too_many: 'full',
  overloaded: 'overloaded',
  unavailable: 'unavailable',
  closed: 'closed',
}

/** Why an event was not published, for the counts. */
export function publishFailureOf(error: unknown): PublishFailure {
  if (error instanceof HubError) return failureOf[error.code]
  const { status = 500 } =
    error instanceof RequestFault ? error.problem : { status: (error as FastifyError).statusCode }
  if (status === 413) return 'too_large'
  return status < 500 ? 'invalid' : 'fault'
}

/** Makes every error of a route a problem detail (RFC 9457). What is a fault of the hub itself goes to `onError` too. */
export function answerErrors(app: FastifyInstance, onError: OnError, maxBodyBytes: number): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const isTooLarge = error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
    const known = isTooLarge
      ? tooLarge(maxBodyBytes)
      : error.statusCode === 415 && wrongType(request.headers['content-type'])
    // The route, not the target: a query may have a ticket, which is nothing for a log.
    const fault = known || problemOf(error, onError, `${request.method} ${request.routeOptions.url ?? 'of no route'}`)
    if (fault.status === 413 && !request.raw.complete) answerUnread(request, reply, fault)
    else void sendFault(reply, fault)
  })
}

/** The problem to answer an error with. What is a fault of the hub itself goes to `onError` too. */
export function problemOf(error: unknown, onError: OnError, context: string): Problem {
  const fault = faultOf(error)
  if (fault.status === 500) onError(error, context)
  return fault
}

/** A target that cannot be read as a URL, or is too long, reaches no route. */
export function answerTargetError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const shown = JSON.stringify(request.url.slice(0, 100))
  const isTooLong = error.statusCode === 414
  const fault = isTooLong
    ? problem(414, `A segment of the path ${shown} is too long.`)
    : problem(400, `The path ${shown} is not valid percent-encoded UTF-8.`)
  void sendFault(reply, fault)
}

export function sendFault(reply: FastifyReply, fault: Problem): FastifyReply {
  return (
    reply
      .code(fault.status)
      .headers({ ...fault.headers, 'Cache-Control': 'no-store' })
      .type(PROBLEM_TYPE)
      // As bytes: to a text the framework adds a charset, which JSON does not have.
      .send(Buffer.from(problemBody(fault)))
  )
}

function tooLarge(maxBodyBytes: number): Problem {
  const mebibytes = maxBodyBytes / 1024 / 1024
  return problem(413, `The body is larger than ${mebibytes} MiB. Send fewer events at once, or references.`)
}

function wrongType(type: string | undefined): Problem {
  const what = type === undefined ? 'missing' : JSON.stringify(type.slice(0, 80))
  const mend = 'it must be application/json, or application/x-ndjson for one event a line'
  return problem(415, `Content-Type is ${what}; ${mend}.`)
}

/** When to come again; undefined when that is no use. */
function retryAfterOf({ code, cause }: HubError): Readonly<Record<string, string>> | undefined {
  const isLasting = code === 'too_many' && !(cause instanceof LogError && cause.passes)
  if (isLasting) return LATE_RETRY_AFTER
  return statusOf[code] === 429 || statusOf[code] === 503 ? RETRY_AFTER : undefined
}

function faultOf(error: unknown): Problem {
  if (error instanceof RequestFault) return error.problem
  if (error instanceof HubError) {
    const status = statusOf[error.code]
    return problem(status, error.message, retryAfterOf(error))
  }
  const { statusCode = 500, message = '' } = error instanceof Error ? (error as FastifyError) : {}
  if (statusCode >= 400 && statusCode < 500) return problem(statusCode, `${message}.`.replace(/\.+$/, '.'))
  return problem(500, 'The request failed because of a fault in the hub.')
}
