import { describe, expect, it } from 'vitest'
import { Progress } from '../src/progress.ts'

describe('the progress of a transport', () => {
  it('is none while what waits stays as it is', () => {
    const progress = new Progress(0)
    progress.accept(100, 0, 1_000)
    progress.look(100, 2_000)
    progress.look(100, 5_000)
    expect([progress.stuckMs(5_000), progress.unsentMs(5_000)]).toEqual([4_000, 4_000])
  })

  it('is seen in every byte that leaves, although the oldest bytes wait on', () => {
    const progress = new Progress(0)
    progress.accept(130_000, 0, 0)
    for (let second = 1; second <= 62; second++) progress.look(130_000 - second * 1_000, second * 1_000)
    expect([progress.stuckMs(62_000), progress.unsentMs(62_000)]).toEqual([0, 62_000])
  })

  it('is seen although more is accepted than leaves', () => {
    const progress = new Progress(0)
    progress.accept(100, 0, 0)
    progress.accept(100, 100, 500)
    progress.look(199, 1_000)
    expect(progress.stuckMs(1_000)).toBe(0)
  })

  it('leaves nothing unsent when all that was accepted at the mark has left, and marks anew', () => {
    const progress = new Progress(0)
    progress.accept(100, 0, 0)
    progress.accept(50, 100, 500)
    progress.look(51, 1_000)
    expect(progress.unsentMs(1_000)).toBe(1_000)
    progress.look(50, 2_000)
    expect(progress.unsentMs(2_000)).toBe(0)
    progress.look(1, 3_000)
    expect(progress.unsentMs(3_000)).toBe(1_000)
    progress.look(0, 4_000)
    expect(progress.unsentMs(4_000)).toBe(0)
  })

  it('starts anew with the first bytes after a pause', () => {
    const progress = new Progress(0)
    progress.accept(100, 0, 60_000)
    progress.look(100, 61_000)
    expect([progress.stuckMs(61_000), progress.unsentMs(61_000), progress.acceptedBytes]).toEqual([1_000, 1_000, 100])
  })
})
