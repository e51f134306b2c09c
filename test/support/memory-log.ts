// A log that is kept: what a test lets a program say, to be compared with what it should have said.
import type { LogLevel } from '#serving/env.ts'
import { createLogger, type Logger } from '#serving/log.ts'

export interface MemoryLog {
  readonly log: Logger
  /** Every line so far, parsed, without its time and component. To be emptied by who has seen enough. */
  readonly lines: Readonly<Record<string, unknown>>[]
}

export function memoryLog(level: LogLevel = 'info'): MemoryLog {
  const lines: MemoryLog['lines'] = []
  const write = (text: string) => {
    const { time: _time, component: _component, ...line } = JSON.parse(text)
    lines.push(line)
  }
  return { log: createLogger(level, { write }), lines }
}
