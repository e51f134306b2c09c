import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDiff } from '../../../../webhook/cli/output/diff.ts'

function diffOf(before: string, after: string, color = false): Promise<string> {
  const change = { before: { name: 'a', text: before }, after: { name: 'b', text: after } }
  return formatDiff(change, { color })
}

const BEFORE = `metadata:
  labels:
    a: "1"
spec:
  containers:
  - name: a
    env: []
  volumes: []
  x: 1
  y: 2
  z: 3
`

test('formatDiff shows changed lines with three lines of context, and their part of the YAML', async () => {
  const after = BEFORE.replace('a: "1"', 'a: "1"\n    b: "2"').replace('z: 3', 'z: 4')
  assert.equal(
    await diffOf(BEFORE, after),
    `--- a
+++ b
@@ -1,6 +1,7 @@ metadata.labels
 metadata:
   labels:
     a: "1"
+    b: "2"
 spec:
   containers:
   - name: a
@@ -8,4 +9,4 @@ spec
   volumes: []
   x: 1
   y: 2
-  z: 3
+  z: 4
`,
  )
})

test('formatDiff names the list of an added item', async () => {
  const after = BEFORE.replace('env: []', 'env: []\n  - name: b\n    env: []')
  assert.match(await diffOf(BEFORE, after), /^@@ -5,6 \+5,8 @@ spec\.containers$/m)
})

test('formatDiff names no part of a text that is not YAML', async () => {
  assert.match(await diffOf('{\n "a": 1\n}\n', '{\n "a": 2\n}\n'), /^@@ -1,3 \+1,3 @@$/m)
})

test('formatDiff of equal texts is empty', async () => {
  assert.equal(await diffOf(BEFORE, BEFORE), '')
})

test('formatDiff colours whole lines', async () => {
  assert.equal(
    await diffOf('a\n', 'b\n', true),
    [
      '\u001b[1m--- a\u001b[22m',
      '\u001b[1m+++ b\u001b[22m',
      '\u001b[36m@@ -1,1 +1,1 @@\u001b[39m',
      '\u001b[31m-a\u001b[39m',
      '\u001b[32m+b\u001b[39m',
      '',
    ].join('\n'),
  )
})
