"""The built Obsidian plugin: manifest.json, main.js, styles.css. Built from obsidian-plugin/."""
