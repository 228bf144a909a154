import type { HubObserver } from '@millrace/server'

/** One observer that tells each of several. */
export function observers(each: readonly HubObserver[]): HubObserver {
  return {
    onOpened: (subscriber) => each.forEach((observer) => observer.onOpened?.(subscriber)),
    onRefused: (reason) => each.forEach((observer) => observer.onRefused?.(reason)),
    onSlow: (subscriber, cause) => each.forEach((observer) => observer.onSlow?.(subscriber, cause)),
    onCaughtUp: (subscriber, replay) => each.forEach((observer) => observer.onCaughtUp?.(subscriber, replay)),
    onGap: (subscriber, reason) => each.forEach((observer) => observer.onGap?.(subscriber, reason)),
    onClosed: (subscriber) => each.forEach((observer) => observer.onClosed?.(subscriber)),
    onPass: (pass) => each.forEach((observer) => observer.onPass?.(pass)),
    onPolled: (outcome, events) => each.forEach((observer) => observer.onPolled?.(outcome, events)),
    onAppended: (events, durationMs) => each.forEach((observer) => observer.onAppended?.(events, durationMs)),
    onAppendFailed: (events, code) => each.forEach((observer) => observer.onAppendFailed?.(events, code)),
  }
}
