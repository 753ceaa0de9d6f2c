package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.api.RawHttp;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a page hears that follows an agent's changes. */
@Timeout(60)
final class ChangesOfQueuesTest extends AgentWithoutEngine {
  @Test
  void everyChangeOfAQueueIsHeard() throws Exception {
    try (RawHttp reader = RawHttp.unix(directory.resolve("run/regen.sock"))) {
      reader.ask("GET", "/v1/changes", "", "").until("event: reset");

      spool("desk", NINE, "first");
      assertThat(reader.until("\"what\":\"added\"}\n\n"))
          .contains("event: queue\ndata: {\"queue\":\"desk\",\"what\":\"made\"}");
      reader.until("\"kind\":\"captured\"");
      awaitIdle();
      regen("pin", "desk@latest");
      reader.until("\"what\":\"pinned\"");
      regen("unpin", "desk@latest");
      reader.until("\"what\":\"unpinned\"");
      regen("keep", "desk", "3");
      reader.until("event: queue\ndata: {\"queue\":\"desk\",\"what\":\"keep\"}");
      regen("rm", "desk@latest");
      reader.until("\"what\":\"removed\"");
      regen("rm", "--queue", "desk");
      reader.until("event: queue\ndata: {\"queue\":\"desk\",\"what\":\"removed\"}");
    }
  }
}
