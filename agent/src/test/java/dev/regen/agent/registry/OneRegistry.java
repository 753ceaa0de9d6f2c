package dev.regen.agent.registry;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Tests that share a manager which everybody may use, each with repositories of its own. */
abstract class OneRegistry {
  @SuppressWarnings("NullAway.Init")
  static ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  static RegistryClient client;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    manager = ServedRegistry.over("dir:" + directory);
    client = manager.client();
  }

  @AfterAll
  static void stop() throws Exception {
    manager.close();
  }
}
