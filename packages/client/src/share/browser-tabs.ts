import type { TabMessage } from './tab-message.ts'
import type { Tabs } from './tabs.ts'

/** What is used of a page or a worker. */
interface TabScope {
  readonly document?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>
  addEventListener?: EventTarget['addEventListener']
  removeEventListener?: EventTarget['removeEventListener']
}

/** The tabs of this origin. Undefined where they cannot be had: an insecure or sandboxed page, an old runtime. */
export async function browserTabs(): Promise<Tabs | undefined> {
  const { navigator, BroadcastChannel } = globalThis as Partial<typeof globalThis>
  const locks = navigator?.locks
  if (!locks || !BroadcastChannel) return undefined
  try {
    // Where there is no storage there are no locks either, and this says so.
    await locks.query()
  } catch {
    return undefined
  }
  return {
    lock(name, steal, onHeld, onLost) {
      const controller = new AbortController()
      let isOver = false
      let isHeld = false
      let release: (() => void) | undefined
      const hold = (): Promise<void> | undefined => {
        if (isOver) return undefined
        isHeld = true
        onHeld()
        return new Promise((resolve) => {
          release = resolve
          if (isOver) resolve()
        })
      }
      locks.request(name, steal ? { steal } : { signal: controller.signal }, hold).catch(() => {
        if (isHeld && !isOver) onLost()
        isOver = true
      })
      return () => {
        isOver = true
        controller.abort()
        release?.()
      }
    },
    channel(name, onMessage) {
      const channel = new BroadcastChannel(name)
      // Only this module's tabs post objects here.
      channel.addEventListener('message', ({ data }: MessageEvent<TabMessage | null>) => data && onMessage(data))
      return {
        // eslint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin, its own
        post: (message) => channel.postMessage(message),
        close: () => channel.close(),
      }
    },
    onSuspend(suspend, resume) {
      const scope = globalThis as TabScope
      const signals = [
        [scope.document, 'freeze', suspend],
        [scope, 'pagehide', suspend],
        [scope.document, 'resume', resume],
        [scope, 'pageshow', resume],
      ] as const
      for (const [target, type, listener] of signals) target?.addEventListener?.(type, listener)
      return () => {
        for (const [target, type, listener] of signals) target?.removeEventListener?.(type, listener)
      }
    },
  }
}
