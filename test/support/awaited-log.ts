// A log that tests wait for: a message shows that something has happened.
import { createLogger, type Logger } from '#serving/log.ts'

export interface AwaitedLog {
  readonly log: Logger
  /** All lines so far, as written. */
  readonly lines: readonly string[]
  /** Resolves with the next line, from now on, that has the message. */
  logged(message: string): Promise<Readonly<Record<string, unknown>>>
}

/** Logs at every level. */
export function awaitedLog(): AwaitedLog {
  const lines: string[] = []
  const waiting = new Map<string, (line: Record<string, unknown>) => void>()
  const write = (text: string) => {
    lines.push(text)
    const line = JSON.parse(text)
    waiting.get(line.msg)?.(line)
  }
  return {
    log: createLogger('trace', { write }),
    lines,
    logged: (message) => new Promise((resolve) => waiting.set(message, resolve)),
  }
}
