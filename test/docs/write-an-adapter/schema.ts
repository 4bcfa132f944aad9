import { readFileSync } from 'node:fs'

export const schema = readFileSync('test/docs/write-an-adapter/offers.sql', 'utf8')
