package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A container that is about to be created: its bundle, its engine's record, its settings. */
record Container(Bundle bundle, EngineRecord engine, ContainerSettings settings) {
  /**
   * Reads all of it from the disk.
   *
   * @return null if the container has no queue
   */
  static @Nullable Container read(HookCall call, List<Path> dataRoots) throws IOException {
    Bundle bundle = Bundle.read(call.bundle());
    EngineRecord engine = EngineRecord.read(dataRoots, call.container());
    if (engine == null) {
      engine = EngineRecord.ofAnnotations(bundle.annotations());
    }
    Map<String, String> labels = new HashMap<>(bundle.annotations());
    labels.putAll(engine.labels());
    ContainerSettings settings = settings(labels, engine.name());
    return settings == null ? null : new Container(bundle, engine, settings);
  }

  private static @Nullable ContainerSettings settings(Map<String, String> labels, String name)
      throws BadLabelException {
    try {
      return ContainerSettings.of(labels, name);
    } catch (BadLabelException e) {
      String queue = labels.getOrDefault("regen.queue", name);
      throw e.of(name, QueueName.isValid(queue) ? new QueueName(queue) : null);
    }
  }

  /** What a person calls it. */
  String name() {
    return engine.name().isEmpty() ? settings.queue().value() : engine.name();
  }
}
