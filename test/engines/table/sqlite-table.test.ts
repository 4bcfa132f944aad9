import Database from 'better-sqlite3'
import t from 'tap'
import { sqliteCases } from '../../support/table-adapter/sqlite-engine.js'

await sqliteCases(t, 'sqlite', (file) => new Database(file))
