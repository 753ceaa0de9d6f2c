package dev.regen.agent.container;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.KnownContainers;
import java.io.IOException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A container that its engine has now.
 *
 * @param inspected all that the engine knows of it
 * @param known what Regen's run records know of it, null if it never ran under regen-runtime
 * @param queue null if it has none
 */
record Target(
    ContainerId id,
    String name,
    JsonObject inspected,
    KnownContainers.@Nullable Known known,
    @Nullable QueueName queue) {

  boolean running() throws IOException {
    return inspected.object("State").flag("Running");
  }

  boolean paused() throws IOException {
    return inspected.object("State").flag("Paused");
  }

  /** When its last run began, null if it never ran. */
  @Nullable Instant startedAt() throws IOException {
    String started = inspected.object("State").stringOrNull("StartedAt");
    return started == null ? null : Instant.parse(started);
  }

  boolean autoRemove() throws IOException {
    return inspected.object("HostConfig").flag("AutoRemove");
  }

  /** How messages name it. */
  String words() {
    return "container " + name;
  }

  /** Whether its engine hands it to the runtime extension. */
  boolean underExtension() throws IOException {
    return known != null || "regen".equals(inspected.object("HostConfig").stringOrNull("Runtime"));
  }

  /** Whether its upper is its state, rather than what its first start takes from its queue. */
  boolean keepsItsUpper() throws IOException {
    return known != null || (queue != null && !underExtension());
  }

  String imageId() throws IOException {
    return inspected.string("Image");
  }

  String imageName() throws IOException {
    String name = inspected.object("Config").stringOrNull("Image");
    return name == null ? "" : name;
  }

  /** As run records keep it, so that the container can be created again. */
  JsonObject spec() throws IOException {
    return new JsonObject()
        .with("name", inspected.string("Name"))
        .with("config", inspected.object("Config"))
        .with("hostConfig", inspected.object("HostConfig"));
  }
}
