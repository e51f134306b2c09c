// A kubectl for tests: a shell script, the only program in PATH, that accepts the expected arguments only and prints its
// answer.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** An answer to other arguments. */
export interface FakeAnswer {
  readonly args: string
  readonly out?: string
  readonly err?: string
  readonly code?: number
}

export interface FakeKubectl {
  /** What it prints as the namespace of its context; `undefined` if it has no context. */
  readonly namespace?: string | undefined
  /** All expected arguments, with spaces between them. */
  readonly args: string
  readonly out?: string
  readonly err?: string
  readonly code?: number
  readonly others?: readonly FakeAnswer[]
  /** It never answers; it ignores SIGTERM. The file has its process id then. */
  readonly hangs?: { readonly pidFile: string }
  /** It prints zeros for ever. */
  readonly endless?: boolean
}

/** The exit code for unexpected arguments, which it prints. */
const UNEXPECTED = 64

/** @returns an environment whose PATH has this kubectl and nothing else */
export async function fakeKubectl(
  t: TestContext,
  { args, out = '', err = '', code = 0, others = [], hangs, endless, ...fields }: FakeKubectl,
): Promise<{ readonly PATH: string }> {
  const { namespace } = { namespace: '', ...fields }
  const folder = await mkdtemp(join(tmpdir(), 'kubectl-'))
  t.after(() => rm(folder, { recursive: true }))
  const script = `#!/bin/sh
case "$*" in
  *'config view --minify --output=jsonpath={..namespace}')
    printf '%s' ${quote(namespace ?? '')}
    ${namespace === undefined ? "echo 'error: no context' >&2; exit 1" : 'exit 0'}
esac
${others.map(answerTo).join('\n')}
if [ "$*" != ${quote(args)} ]; then
  printf 'unexpected arguments: %s' "$*" >&2
  exit ${UNEXPECTED}
fi
${hangs === undefined ? '' : `trap '' TERM INT; echo $$ > ${quote(hangs.pidFile)}; while :; do /bin/sleep 1; done`}
${endless === true ? 'exec /bin/cat /dev/zero' : ''}
printf '%s' ${quote(out)}
printf '%s' ${quote(err)} >&2
exit ${code}
`
  const path = join(folder, 'kubectl')
  await writeFile(path, script)
  await chmod(path, 0o755)
  return { PATH: folder }
}

function answerTo({ args, out = '', err = '', code = 0 }: FakeAnswer): string {
  const answer = `printf '%s' ${quote(out)}; printf '%s' ${quote(err)} >&2; exit ${code}`
  return `if [ "$*" = ${quote(args)} ]; then ${answer}; fi`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
