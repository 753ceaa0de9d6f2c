package dev.regen.agent.fleet;

import java.nio.file.Path;

/** A fleet in a file. */
final class FleetSqliteTest extends FleetContract {
  @Override
  String database(Path directory) {
    return "sqlite:" + directory.resolve("fleet.db");
  }
}
