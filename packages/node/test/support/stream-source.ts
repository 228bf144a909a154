import {
  driveHub,
  driveSessions,
  memoryHub,
  patientLimits,
  type DrivenStreams,
} from '../../../server/test/support/driven-streams.ts'
import { createSession, streamHandler, type NodeRequest, type NodeResponse } from '../../src/index.ts'

/** Something that serves streams on Node, as a test drives it. */
export interface StreamSource extends DrivenStreams {
  handle(request: NodeRequest, response: NodeResponse): void | Promise<void>
}

/** Bare sessions, to all of which everything is sent. */
export function sessionSource(): StreamSource {
  const driven = driveSessions()
  return {
    ...driven,
    handle: async (request, response) => driven.add(await createSession(request, response, patientLimits)),
  }
}

/** A hub with everything in memory. */
export function hubSource(): StreamSource {
  const hub = memoryHub()
  return { ...driveHub(hub), handle: streamHandler(hub) }
}
