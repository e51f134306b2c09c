// Files, streams and variables of a command in memory. The texts that a command writes are kept.
import type { Io } from '../../../webhook/cli/command.ts'

export interface MemoryIoOptions {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly folders?: readonly string[]
  /** Standard input; a terminal by default. */
  readonly input?: string
  readonly outIsTerminal?: boolean
  readonly errIsTerminal?: boolean
  /** Of the terminal. */
  readonly columns?: number
  readonly rows?: number
  readonly env?: Io['env']
}

/** A missing file, or a folder in its place, is an error as in a file system. */
export function createMemoryIo(options: MemoryIoOptions = {}) {
  const { files = {}, folders = [], input, outIsTerminal = false, env = {} } = options
  const { errIsTerminal = false, columns, rows } = options
  const written = { out: '', err: '' }
  let interrupt: (() => void) | undefined
  const filesWritten: Record<string, string> = {}
  const outputTo = (name: keyof typeof written, isTerminal: boolean) => ({
    isTerminal,
    columns,
    rows,
    write: (text: string) => {
      written[name] += text
    },
  })
  const io: Io = {
    out: outputTo('out', outIsTerminal),
    err: outputTo('err', errIsTerminal),
    env,
    readFile: async (path) => {
      const content = files[path]
      if (content !== undefined) return Buffer.from(content)
      if (folders.includes(path)) {
        throw Object.assign(new Error(`EISDIR: ${path}`), { code: 'EISDIR', errno: -21 })
      }
      throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT', errno: -2 })
    },
    writeFile: async (path, text) => {
      filesWritten[path] = text
    },
    createFolder: async (path) => {
      if (folders.includes(path) || path in files) {
        throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST', errno: -17 })
      }
    },
    checkWritable: async (path) => {
      if (path.includes('/')) throw Object.assign(new Error(`ENOENT: ${path}`), { errno: -2 })
    },
    inputIsTerminal: input === undefined,
    readInput: async () => Buffer.from(input ?? ''),
    onInterrupt: (stop) => {
      interrupt = stop
      return () => {
        interrupt = undefined
      }
    },
    version: '1.2.3',
  }
  return { io, written, filesWritten, interrupt: () => interrupt?.() }
}
