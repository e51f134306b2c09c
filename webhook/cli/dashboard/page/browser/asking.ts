// Asks the command that serves the page, again and again while somebody looks. Every address is relative: it has the token.
import { useEffect, useState } from 'preact/hooks'
import type { Subject } from '../../data.ts'
import { type Moment, presentMoment } from './moment.ts'

/** Longer than the command itself waits. */
const TIMEOUT_MS = 15_000

export const EVERY_MS = 2_000

export const OLD = 'no answer has come for a while'

export const LOST = '“flux-metrics dashboard” does not answer: was it ended?'

/** `data/state?namespace=hpc&name=flux-sample`; without a subject the command knows who is meant. */
export function addressOf(path: string, subject: Subject | null, metric?: string): string {
  const parameters = new URLSearchParams({
    ...subject,
    ...(metric === undefined ? {} : { metric }),
  })
  return parameters.size === 0 ? `data/${path}` : `data/${path}?${parameters}`
}

/** @throws Error if the command does not answer */
export async function ask<T>(address: string, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const response = await fetch(address, {
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    headers: { accept: 'application/json' },
  })
  if (!response.ok) throw new Error(`the answer has status ${response.status}`)
  const answer: T = await response.json()
  return answer
}

/** An answer, and when it came; `undefined`: the command does not answer. */
export interface Asked<T> {
  readonly answer: T | undefined
  readonly at: Moment
}

/** Calls `take` with each answer, every two seconds while the page is visible, until the address changes. */
export function useAnswers<T>(address: string, take: (asked: Asked<T>) => void): void {
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isAsking = false
    const next = async () => {
      if (isAsking || stop.signal.aborted || document.hidden) return
      isAsking = true
      clearTimeout(timer)
      const answer = await ask<T>(address, stop.signal).catch(() => undefined)
      isAsking = false
      if (stop.signal.aborted) return
      take({ answer, at: presentMoment() })
      timer = setTimeout(next, EVERY_MS)
    }
    const look = () => void next()
    document.addEventListener('visibilitychange', look)
    look()
    return () => {
      stop.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [address])
}

/** The present time: once a second, and as soon as somebody looks again. */
export function useNow(): Moment {
  const [now, setNow] = useState(presentMoment)
  useEffect(() => {
    const look = () => setNow(presentMoment())
    const timer = setInterval(look, 1_000)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [])
  return now
}
