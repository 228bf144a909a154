/** As an EventTarget does with what its listeners throw: nobody here is stopped by it, and who watches for uncaught errors sees it. */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
