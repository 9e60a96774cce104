"""Static files under names with a hash of their content."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashes imports inside modules too, or a new module would import old ones."""

    support_js_module_import_aggregation = True
